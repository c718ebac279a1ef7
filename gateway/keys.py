"""`keys`: one virtual key for each developer.

A developer is a LiteLLM user of the same name, so that usage is told by person, also after keys were replaced or
revoked, and so that no key is without a user (until 1.108.13 such keys could read one another).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from custom_handlers.guard.routes import DEVELOPER_ROUTES
from custom_handlers.pacing.quota import WEIGHT_FIELD
from gateway import spelling
from gateway.failures import GatewayError, InputError
from gateway.management import Gateway, RefusedError, settings, with_gateway
from gateway.options import (
    Group,
    Name,
    Value,
    check_models,
    defaults,
    fields,
    json_option,
    limits,
    read_name,
    weight_option,
    with_weight,
)
from gateway.processes import ALL_NAMES
from gateway.project import on_host
from gateway.tables import UNIT, amount, budget, count, day, models, print_json, rates, render
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
# What a script is told of a key, beside its name and, once, the key itself.
TOLD = ("team_id", "spend", "max_budget", "budget_duration", "rpm_limit", "tpm_limit", "models", "expires")
ROLE = "internal_user_viewer"  # a role that could not make keys even if its routes were open

name_of_key = click.argument("name", cls=Name, whose="for whom", example=("keys create dev1", "key NAME=dev1"))
team_option = click.option(
    "--team", type=Value("team", read_name), metavar="TEAM", help="The team whose budget and limits hold as well."
)


@click.group(cls=Group)
def keys() -> None:
    """Virtual keys: one for each developer."""


@keys.command()
@name_of_key
@team_option
@limits(expires=True)
@weight_option
@json_option
@with_gateway
def create(gateway: Gateway, name: str, team: str | None, weight: Any, as_json: bool, **given: Any) -> None:
    """Hand out a key to NAME.

    It is shown this once, alone on standard output.

    What is not given comes from KEY_BUDGET, KEY_PERIOD, KEY_RPM, KEY_TPM, KEY_MODELS and KEY_EXPIRES in .env.
    """
    wanted, environ_defaults = _wanted(gateway, team, given), defaults(settings())
    check_models(gateway, wanted.get("models", environ_defaults.get("models")))
    if _key_of(gateway, name):
        raise InputError(
            f"{name} has a key already: {spelling.flag('rotate')} replaces it, {spelling.flag('update')} changes its "
            f"settings, {spelling.command('keys revoke', 'revoke')} takes it."
        )
    _hand_out(gateway, name, with_weight(DEFAULTS | environ_defaults | wanted, weight), as_json)


@keys.command()
@name_of_key
@team_option
@limits(expires=True)
@weight_option
@json_option
@with_gateway
def rotate(gateway: Gateway, name: str, team: str | None, weight: Any, as_json: bool, **given: Any) -> None:
    """Replace the key of NAME.

    The old one is refused from now on. Settings and spend stay, unless others are given.
    """
    wanted, environ_defaults = _wanted(gateway, team, given), defaults(settings())
    check_models(gateway, wanted.get("models", environ_defaults.get("models")))
    old = _key_of(gateway, name)
    kept = {field: old[field] for field in KEPT} if old else {}
    weight = weight or ((old or {}).get("metadata") or {}).get(WEIGHT_FIELD)
    _hand_out(gateway, name, with_weight(DEFAULTS | environ_defaults | kept | wanted, weight), as_json, old)


@keys.command()
@name_of_key
@team_option
@limits(expires=True)
@weight_option
@with_gateway
def update(gateway: Gateway, name: str, team: str | None, weight: Any, **given: Any) -> None:
    """Change the settings of the key of NAME.

    The key itself stays the same.
    """
    wanted = _wanted(gateway, team, given)
    check_models(gateway, wanted.get("models"))
    key = _key_of(gateway, name)
    if not key:
        raise InputError(f"{name} has no key whose settings could be changed.")
    if team:
        add_member(gateway, team, name)
    gateway.post("/key/update", {"key": key["token"], **with_weight(wanted, weight, key["metadata"])})
    print(f"Changed the settings of {name}'s key; the key stays the same.", file=sys.stderr)


@keys.command("list")
@json_option
@with_gateway
def list_keys(gateway: Gateway, as_json: bool) -> None:
    """List the keys with their spend, limits and expiry."""
    found = sorted(gateway.keys(), key=lambda key: key["key_alias"] or "")
    if as_json:
        print_json([{"name": _name(key), **_told(key), "last_active": key["last_active"]} for key in found])
        return
    if not found:
        print(f"There are no keys yet: {spelling.command('keys create dev1', 'key NAME=dev1')}")
        return
    header = ("name", "team", "spend", "budget", "rpm", "tpm", "expires", "last used", "models")
    print(render(header, [_row(key) for key in found]))
    print(f"\nspend and budget: {UNIT}")


@keys.command()
@click.argument("name", cls=Name, whose="whose", example=("keys revoke dev1", "revoke NAME=dev1"))
@with_gateway
def revoke(gateway: Gateway, name: str) -> None:
    """Take the key of NAME away, at once.

    The usage stays.
    """
    key = _key_of(gateway, name)
    if not key:
        raise GatewayError(f"{name} has no key.")
    take_away(gateway, key)
    print(f"{name}'s key is revoked and will be refused from now on; the usage stays.")


def make_key(
    gateway: Gateway, name: str, wanted: Mapping[str, Any], old: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """LiteLLM's record of a new key, with the key itself, in place of `old`. Makes its user and its place in a team."""
    _ensure_user(gateway, name)
    if team := wanted.get("team_id"):
        add_member(gateway, team, name)
    if old:
        take_away(gateway, old)
    body = {field: value for field, value in wanted.items() if value is not None}
    body |= {"key_alias": name, "user_id": name, "allowed_routes": ALLOWED_ROUTES}
    try:
        record: dict[str, Any] = gateway.post("/key/generate", body)
    except RefusedError as refusal:
        if "already exists" in refusal.reason:
            raise InputError(
                f"A key named {name} was made by other means, for another user: choose another name."
            ) from None
        raise
    return record


def _wanted(gateway: Gateway, team: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """LiteLLM's fields for what was typed."""
    if not team:
        return fields(given)
    require_team(gateway, team)
    return {**fields(given), "team_id": team}


def _hand_out(
    gateway: Gateway, name: str, wanted: Mapping[str, Any], as_json: bool, old: Mapping[str, Any] | None = None
) -> None:
    """Makes a key, in place of `old`. It alone goes to standard output, so that it can be piped into a secret store."""
    record = make_key(gateway, name, wanted, old)
    if as_json:
        print_json({"name": name, "key": record["key"], **_told(record)})
    else:
        address = gateway.url if on_host() else "<the gateway's address>"
        print(f"{name}'s key, shown this once:", file=sys.stderr, flush=True)
        print(record["key"], flush=True)
        print(
            f"  models   {models(record['models'])}\n"
            f"  budget   {budget(record)} ({UNIT})\n"
            f"  limits   {rates(record)}\n"
            f"  expires  {day(record['expires'])}\n"
            f"  use it   OPENAI_BASE_URL={address}/v1 OPENAI_API_KEY=<the key>",
            file=sys.stderr,
        )


def _row(key: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        _name(key),
        key["team_id"] or "-",
        amount(key["spend"]),
        budget(key),
        count(key["rpm_limit"]),
        count(key["tpm_limit"]),
        _expiry(key),
        day(key["last_active"]),
        models(key["models"]),
    )


def _name(key: Mapping[str, Any]) -> str:
    return str(key["key_alias"] or key["key_name"])


def _told(key: Mapping[str, Any]) -> dict[str, Any]:
    return {field.removesuffix("_id"): key.get(field) for field in TOLD}


def _key_of(gateway: Gateway, name: str) -> dict[str, Any] | None:
    return next((key for key in gateway.keys(user_id=name) if key["key_alias"] == name), None)


def take_away(gateway: Gateway, key: Mapping[str, Any]) -> None:
    """Blocks the key first: of a block LiteLLM tells its other workers (through Redis), of a deletion it does not."""
    gateway.post("/key/block", {"key": key["token"]})
    gateway.post("/key/delete", {"keys": [key["token"]]})


def _ensure_user(gateway: Gateway, name: str) -> None:
    try:
        gateway.post("/user/new", {"user_id": name, "user_alias": name, "user_role": ROLE, "auto_create_key": False})
    except RefusedError as refusal:
        if "already exists" not in refusal.reason:
            raise


def _expiry(key: Mapping[str, Any]) -> str:
    moment = key["expires"]
    expired = moment and datetime.fromisoformat(moment) < datetime.now(UTC)
    return f"expired {day(moment)}" if expired else day(moment)
