"""`teams`: a budget and limits that several keys share. LiteLLM's id of a team is the same as its name."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from gateway import spelling
from gateway.failures import InputError
from gateway.management import Gateway, RefusedError, with_gateway
from gateway.options import Group, Name, check_models, fields, json_option, limits, weight_option, with_weight
from gateway.tables import UNIT, amount, budget, count, models, print_json, rates, render

MASTER = "default_user_id"  # LiteLLM makes whoever creates a team its member
TOLD = ("spend", "max_budget", "budget_duration", "rpm_limit", "tpm_limit", "models")

name_of_team = click.argument("name", cls=Name, whose="which", example=("teams create backend", "team NAME=backend"))


@click.group(cls=Group)
def teams() -> None:
    """Teams: a budget and limits that several keys share."""


@teams.command("list")
@json_option
@with_gateway
def list_teams(gateway: Gateway, as_json: bool) -> None:
    """List the teams with their members, spend and limits."""
    found = sorted(gateway.teams(), key=lambda record: record["team_id"])
    if as_json:
        print_json([_told(record) for record in found])
        return
    if not found:
        example = "NAME=backend BUDGET=200 PERIOD=30d"
        print(
            "There are no teams yet: "
            + spelling.command("teams create backend --budget 200 --period 30d", f"team {example}")
        )
        return
    header = ("team", "members", "spend", "budget", "rpm", "tpm", "models")
    print(render(header, [_row(record) for record in found]))
    print(f"\nspend and budget: {UNIT}")


@teams.command()
@name_of_team
@json_option
@with_gateway
def show(gateway: Gateway, name: str, as_json: bool) -> None:
    """Show the team NAME.

    What it has spent, its limits and its members.
    """
    require_team(gateway, name)
    _show(gateway, name, as_json)


@teams.command()
@name_of_team
@limits(expires=False)
@weight_option
@json_option
@with_gateway
def create(gateway: Gateway, name: str, weight: Any, as_json: bool, **given: Any) -> None:
    """Make the team NAME."""
    if _find(gateway, name):
        change = spelling.command(f"teams update {name}", f"team NAME={name}")
        raise InputError(f"There is a team {name} already: change it with {change}.")
    make_team(gateway, name, with_weight(fields(given), weight))
    _show(gateway, name, as_json)


@teams.command()
@name_of_team
@limits(expires=False)
@weight_option
@json_option
@with_gateway
def update(gateway: Gateway, name: str, weight: Any, as_json: bool, **given: Any) -> None:
    """Change the limits of the team NAME."""
    change_team(gateway, name, fields(given), weight)
    _show(gateway, name, as_json)


@teams.command("set", hidden=True)
@name_of_team
@limits(expires=False)
@weight_option
@with_gateway
def set_team(gateway: Gateway, name: str, weight: Any, **given: Any) -> None:
    """Make the team NAME, or change it: `make team`."""
    if not _find(gateway, name):
        make_team(gateway, name, with_weight(fields(given), weight))
    else:
        change_team(gateway, name, fields(given), weight)
    _show(gateway, name)


def make_team(gateway: Gateway, name: str, wanted: Mapping[str, Any]) -> None:
    check_models(gateway, wanted.get("models"))
    given = {field: value for field, value in wanted.items() if value is not None}
    gateway.post("/team/new", {"team_id": name, "team_alias": name, **given})
    print(f"Made the team {name}.", file=sys.stderr)


def change_team(gateway: Gateway, name: str, wanted: Mapping[str, Any], weight: Any = None) -> None:
    check_models(gateway, wanted.get("models"))
    wanted = with_weight(wanted, weight, require_team(gateway, name)["metadata"])
    if wanted:
        gateway.post("/team/update", {"team_id": name, **wanted})
        print(f"Changed the team {name}.", file=sys.stderr)


def require_team(gateway: Gateway, name: str) -> dict[str, Any]:
    """LiteLLM would take the name of a team that there is not, and give the key no team's limits."""
    if (record := _find(gateway, name)) is None:
        make = spelling.command(f"teams create {name}", f"team NAME={name}")
        raise InputError(f"There is no team {name}: make it with {make}.")
    return record


def add_member(gateway: Gateway, name: str, user: str) -> None:
    record = _find(gateway, name)
    if record and user not in _members(record):
        gateway.post("/team/member_add", {"team_id": name, "member": {"role": "user", "user_id": user}})


def _find(gateway: Gateway, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = gateway.get("/team/info", team_id=name)["team_info"]
    except RefusedError as refusal:
        if refusal.status == 404:
            return None
        raise
    return found


def _members(record: Mapping[str, Any]) -> list[str]:
    members = [member["user_id"] for member in record["members_with_roles"]]
    return [member for member in members if member and member != MASTER]


def _show(gateway: Gateway, name: str, as_json: bool = False) -> None:
    record = _find(gateway, name) or {}
    if as_json:
        print_json(_told(record))
        return
    example = spelling.command(f"keys create dev1 --team {name}", f"key NAME=dev1 TEAM={name}")
    print(f"{name}: spent {amount(record['spend'])} of {budget(record)} ({UNIT})")
    print(f"  limits   {rates(record)}")
    print(f"  models   {models(record['models'])}")
    print(f"  members  {', '.join(_members(record)) or 'none yet: ' + example}")


def _row(record: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        record["team_alias"] or record["team_id"],
        str(len(_members(record))),
        amount(record["spend"]),
        budget(record),
        count(record["rpm_limit"]),
        count(record["tpm_limit"]),
        models(record["models"]),
    )


def _told(record: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": record["team_id"], "members": _members(record), **{field: record[field] for field in TOLD}}
