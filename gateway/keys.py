"""`make key`, `make keys`, `make revoke`: one virtual key for each developer.

A developer is a LiteLLM user of the same name, so that usage is told by person, also after keys were replaced or
revoked, and so that no key is without a user (until 1.108.13 such keys could read one another).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from custom_handlers.guard.routes import DEVELOPER_ROUTES
from gateway.management import Failure, Gateway, InputError, Refused, run
from gateway.options import DEFAULTS_PREFIX, check_models, read_flag, read_name, read_settings, together
from gateway.processes import ALL_NAMES
from gateway.tables import UNIT, amount, budget, count, day, models, rates, render
from gateway.teams import add_member, require_team

DEFAULTS: dict[str, Any] = {
    "models": list(ALL_NAMES),
    "max_budget": 50.0,
    "budget_duration": "30d",
    "rpm_limit": 60,
    "tpm_limit": 500_000,
    "duration": "90d",
}
# What the gateway answers and the key's own information, instead of LiteLLM's own set for developers, which includes
# /model/info with the agents' ids. Keys that are made in the admin UI get the same from the request guard.
ALLOWED_ROUTES = DEVELOPER_ROUTES
# Kept when a key is replaced: a new key is not a new budget.
KEPT = ("models", "max_budget", "budget_duration", "rpm_limit", "tpm_limit", "team_id", "spend")
ROLE = "internal_user_viewer"  # a role that could not make keys even if its routes were open


def create(gateway: Gateway, environ: Mapping[str, str]) -> None:
    given: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    name, _, _, rotate, update, _ = together(
        lambda: read_name(environ, "NAME", "say for whom, as in `make key NAME=dev1`."),
        lambda: given.update(read_settings(environ)),
        lambda: defaults.update(read_settings(environ, DEFAULTS_PREFIX)),
        lambda: read_flag(environ, "ROTATE"),
        lambda: read_flag(environ, "UPDATE"),
        lambda: environ.get("TEAM") and given.update(team_id=read_name(environ, "TEAM", "")),
    )
    if rotate and update:
        raise InputError("UPDATE=1 changes a key's settings, ROTATE=1 replaces the key: choose one.")
    check_models(gateway, given.get("models", defaults.get("models")))
    if "team_id" in given:
        require_team(gateway, given["team_id"])
    old = _key_of(gateway, name)
    if old and not rotate and not update:
        raise InputError(
            f"{name} has a key already: ROTATE=1 replaces it, UPDATE=1 changes its settings, `make revoke` takes it."
        )
    if update:
        _change(gateway, name, old, given)
        return
    kept = {field: old[field] for field in KEPT} if old else {}
    settings = DEFAULTS | defaults | kept | given
    _ensure_user(gateway, name)
    if team := settings.get("team_id"):
        add_member(gateway, team, name)
    if old:
        _take_away(gateway, old)
    _hand_out(name, gateway.url, _generate(gateway, name, settings))


def _change(gateway: Gateway, name: str, key: Mapping[str, Any] | None, given: Mapping[str, Any]) -> None:
    if not key:
        raise InputError(f"{name} has no key whose settings could be changed.")
    if team := given.get("team_id"):
        add_member(gateway, team, name)
    gateway.post("/key/update", {"key": key["token"], **given})
    print(f"Changed the settings of {name}'s key; the key stays the same.", file=sys.stderr)


def _generate(gateway: Gateway, name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    body = {field: value for field, value in settings.items() if value is not None}
    body |= {"key_alias": name, "user_id": name, "allowed_routes": ALLOWED_ROUTES}
    try:
        record: dict[str, Any] = gateway.post("/key/generate", body)
    except Refused as refusal:
        if "already exists" in refusal.reason:
            raise InputError(
                f"A key named {name} was made by other means, for another user: choose another name."
            ) from None
        raise
    return record


def _hand_out(name: str, url: str, record: Mapping[str, Any]) -> None:
    """The key alone goes to standard output, so that it can be piped into a secret store."""
    print(f"{name}'s key, shown this once:", file=sys.stderr, flush=True)
    print(record["key"], flush=True)
    print(
        f"  models   {models(record['models'])}\n"
        f"  budget   {budget(record)} ({UNIT})\n"
        f"  limits   {rates(record)}\n"
        f"  expires  {day(record['expires'])}\n"
        f"  use it   OPENAI_BASE_URL={url}/v1 OPENAI_API_KEY=<the key>",
        file=sys.stderr,
    )


def list_keys(gateway: Gateway, environ: Mapping[str, str]) -> None:
    header = ("name", "team", "spend", "budget", "rpm", "tpm", "expires", "last used", "models")
    rows = [
        (
            key["key_alias"] or key["key_name"],
            key["team_id"] or "-",
            amount(key["spend"]),
            budget(key),
            count(key["rpm_limit"]),
            count(key["tpm_limit"]),
            _expiry(key),
            day(key["last_active"]),
            models(key["models"]),
        )
        for key in sorted(gateway.keys(), key=lambda key: key["key_alias"] or "")
    ]
    if not rows:
        print("There are no keys yet: make key NAME=dev1")
        return
    print(render(header, rows))
    print(f"\nspend and budget: {UNIT}")


def revoke(gateway: Gateway, environ: Mapping[str, str]) -> None:
    name = read_name(environ, "NAME", "say whose, as in `make revoke NAME=dev1`.")
    key = _key_of(gateway, name)
    if not key:
        raise Failure(f"{name} has no key.")
    _take_away(gateway, key)
    print(f"{name}'s key is revoked and will be refused from now on; the usage stays.")


def _key_of(gateway: Gateway, name: str) -> dict[str, Any] | None:
    return next((key for key in gateway.keys(user_id=name) if key["key_alias"] == name), None)


def _take_away(gateway: Gateway, key: Mapping[str, Any]) -> None:
    """Blocks the key first: of a block LiteLLM tells its other workers (through Redis), of a deletion it does not."""
    gateway.post("/key/block", {"key": key["token"]})
    gateway.post("/key/delete", {"keys": [key["token"]]})


def _ensure_user(gateway: Gateway, name: str) -> None:
    try:
        gateway.post("/user/new", {"user_id": name, "user_alias": name, "user_role": ROLE, "auto_create_key": False})
    except Refused as refusal:
        if "already exists" not in refusal.reason:
            raise


def _expiry(key: Mapping[str, Any]) -> str:
    moment = key["expires"]
    expired = moment and datetime.fromisoformat(moment) < datetime.now(UTC)
    return f"expired {day(moment)}" if expired else day(moment)


COMMANDS = {"create": create, "list": list_keys, "revoke": revoke}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        sys.exit(f"usage: python -m gateway.keys {'|'.join(COMMANDS)}")
    sys.exit(run(COMMANDS[sys.argv[1]]))
