"""`whoami`: what a developer's own key may do, and what is left of its budget. Needs no other key."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from gateway.addresses import gateway_url
from gateway.failures import GatewayError, InputError
from gateway.management import Gateway, RefusedError, named_fields, settings
from gateway.options import Command, json_option
from gateway.tables import UNIT, amount, budget, models, print_json, rates

# The first that is set counts: the gateway's own names before those that may hold another provider's key.
VARIABLES = ("GATEWAY_KEY", "STACKSPOT_GATEWAY_KEY", "OPENAI_API_KEY", "ANTHROPIC_AUTH_TOKEN")
STDIN = "standard input"
TOLD = ("spend", "max_budget", "budget_duration", "budget_reset_at", "rpm_limit", "tpm_limit", "expires")


@click.command(cls=Command)
@click.option("--key-from-stdin", is_flag=True, help="Read the key from standard input, not from the environment.")
@json_option
def whoami(key_from_stdin: bool, as_json: bool) -> None:
    """Show what your own key may do, and its budget.

    The key comes from GATEWAY_KEY, STACKSPOT_GATEWAY_KEY, OPENAI_API_KEY or ANTHROPIC_AUTH_TOKEN, the gateway's address
    from GATEWAY_URL. It is never typed as an argument: it would be seen in the list of processes.
    """
    environ = settings()
    key, source = _from_stdin() if key_from_stdin else _from_environment(environ)
    gateway = Gateway(gateway_url(environ), key, source=source)
    gateway.warn_in_the_clear()
    with named_fields(gateway):
        info = _info(gateway, source)
        told = _told(info, _models(gateway, info))
    if as_json:
        print_json(told)
    else:
        print("\n".join(f"{name:<9}{value}" for name, value in _lines(told)))


def _from_environment(environ: Mapping[str, str]) -> tuple[str, str]:
    for name in VARIABLES:
        if key := environ.get(name, "").strip():
            return _checked(key, name), name
    raise InputError(f"No key is set: put yours into {VARIABLES[0]}, or pipe it in with --key-from-stdin.")


def _from_stdin() -> tuple[str, str]:
    return _checked(sys.stdin.readline().strip(), STDIN), STDIN


def _checked(key: str, source: str) -> str:
    if not key:
        raise InputError(f"There is no key on {source}: its first line has to be one.")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise InputError(f"The key from {source} holds a character that no key has.")
    return key


def _info(gateway: Gateway, source: str) -> Mapping[str, Any]:
    try:
        answer: Mapping[str, Any] = gateway.get("/key/info")
    except RefusedError as refusal:
        if refusal.status != 404:
            raise
        # LiteLLM stores the virtual keys alone
        raise GatewayError(
            f"The key from {source} is no developer's key: the gateway keeps no budget for it."
        ) from None
    info: Mapping[str, Any] = answer["info"]
    return info


def _models(gateway: Gateway, info: Mapping[str, Any]) -> list[str]:
    try:
        return sorted(gateway.model_names())
    except RefusedError:  # a key without budget gets no list, and wants to know that all the more
        return sorted(info["models"])


def _told(info: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    most = info["max_budget"]
    return {
        "name": info["key_alias"] or info["key_name"],
        "team": info["team_id"],
        **{field: info[field] for field in TOLD},
        "left": None if most is None else max(round(most - info["spend"], 6), 0.0),
        "models": names,
    }


def _lines(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    if told["left"] is None:
        left = f"no limit; {amount(told['spend'])} spent"
    else:
        left = f"{amount(told['left'])} left of {budget(told)}"
    lines = [
        ("name", str(told["name"])),
        ("team", told["team"] or "-"),
        ("models", models(told["models"])),
        ("budget", f"{left} ({UNIT})"),
    ]
    if told["budget_reset_at"]:
        lines.append(("new", _moment(told["budget_reset_at"])))
    return [*lines, ("limits", rates(told)), ("expires", _moment(told["expires"]) if told["expires"] else "never")]


def _moment(text: str) -> str:
    """In the reader's time zone."""
    moment = datetime.fromisoformat(text)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return f"{aware.astimezone():%Y-%m-%d %H:%M %Z}"
