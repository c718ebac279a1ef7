"""`make team`: teams share a budget and limits. A team is known by its name: LiteLLM's id for it is the same."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from gateway.management import Gateway, InputError, Refused, run
from gateway.options import check_models, read_name, read_settings, together
from gateway.tables import UNIT, amount, budget, count, models, rates, render

MASTER = "default_user_id"  # LiteLLM makes whoever creates a team its member


def team(gateway: Gateway, environ: Mapping[str, str]) -> None:
    if not environ.get("NAME"):
        list_teams(gateway)
        return
    name, settings = together(
        lambda: read_name(environ, "NAME", ""),
        lambda: read_settings({**environ, "EXPIRES": ""}),
    )
    check_models(gateway, settings.get("models"))
    if not _find(gateway, name):
        given = {field: value for field, value in settings.items() if value is not None}
        gateway.post("/team/new", {"team_id": name, "team_alias": name, **given})
        print(f"Made the team {name}.", file=sys.stderr)
    elif settings:
        gateway.post("/team/update", {"team_id": name, **settings})
        print(f"Changed the team {name}.", file=sys.stderr)
    show(_find(gateway, name) or {}, gateway)


def list_teams(gateway: Gateway) -> None:
    header = ("team", "members", "spend", "budget", "rpm", "tpm", "models")
    rows = [
        (
            record["team_alias"] or record["team_id"],
            str(len(_members(record))),
            amount(record["spend"]),
            budget(record),
            count(record["rpm_limit"]),
            count(record["tpm_limit"]),
            models(record["models"]),
        )
        for record in sorted(gateway.teams(), key=lambda record: record["team_id"])
    ]
    if not rows:
        print("There are no teams yet: make team NAME=backend BUDGET=200 PERIOD=30d")
        return
    print(render(header, rows))
    print(f"\nspend and budget: {UNIT}")


def show(record: Mapping[str, Any], gateway: Gateway) -> None:
    print(f"{record['team_id']}: spent {amount(record['spend'])} of {budget(record)} ({UNIT})")
    print(f"  limits   {rates(record)}")
    print(f"  models   {models(record['models'])}")
    print(f"  members  {', '.join(_members(record)) or 'none yet: make key NAME=dev1 TEAM=' + record['team_id']}")


def require_team(gateway: Gateway, name: str) -> None:
    """LiteLLM would take the name of a team that there is not, and give the key no team's limits."""
    if not _find(gateway, name):
        raise InputError(f"There is no team {name}: make it with `make team NAME={name}`.")


def add_member(gateway: Gateway, name: str, user: str) -> None:
    record = _find(gateway, name)
    if record and user not in _members(record):
        gateway.post("/team/member_add", {"team_id": name, "member": {"role": "user", "user_id": user}})


def _find(gateway: Gateway, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = gateway.get("/team/info", team_id=name)["team_info"]
    except Refused as refusal:
        if refusal.status == 404:
            return None
        raise
    return found


def _members(record: Mapping[str, Any]) -> list[str]:
    members = [member["user_id"] for member in record["members_with_roles"]]
    return [member for member in members if member and member != MASTER]


if __name__ == "__main__":
    sys.exit(run(team))
