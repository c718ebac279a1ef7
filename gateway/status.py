"""`status`: what runs, and how StackSpot's limit is shared at this moment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import click

from custom_handlers.http.network import is_loopback
from custom_handlers.pacing.quota import IN_PROCESS
from gateway.compose import show_stack
from gateway.management import Gateway, RefusedError, with_gateway
from gateway.options import Command, json_option
from gateway.tables import print_json, render


@click.command(cls=Command)
@json_option
@with_gateway
def status(gateway: Gateway, as_json: bool) -> None:
    """Show what runs, and who waits for StackSpot.

    The Docker stack if it runs here, whether the gateway is ready, the pace, and each key's share of the last minute.
    """
    if not as_json and is_loopback(urlsplit(gateway.url).hostname or ""):
        show_stack()
    readiness, pace = gateway.get("/health/readiness"), gateway.get("/stackspot/pace")
    others = pace.get("accounts", {})
    keys = [key for each in (pace, *others.values()) for key in each.get("keys", [])]
    names = _names(gateway) if keys else {}
    for key in keys:
        key["name"] = names.get(key.pop("key"), "other")
    if as_json:
        print_json({"readiness": readiness, "pace": pace})
        return
    print(json.dumps(readiness, separators=(",", ":")))
    print(_pace(pace, "StackSpot"))
    for account, other in others.items():
        print(f"\n{_pace(other, f'StackSpot by the account {account}')}")


def _names(gateway: Gateway) -> dict[str, str]:
    """Whose each key is, by LiteLLM's name of it."""
    names = {gateway.hashed_key: "the master key", IN_PROCESS: IN_PROCESS}
    with suppress(RefusedError):  # a gateway without a database has no other keys
        stored = list(gateway.keys())
        names |= {key["token"]: key["key_alias"] or key["key_name"] for key in stored}
    return names


def _pace(pace: Mapping[str, Any], whom: str) -> str:
    if not pace["paced"]:
        return f"Requests to {whom} are not paced (STACKSPOT_REQUESTS_PER_MINUTE=0)."
    ago = pace["seconds_since_429"]
    where = "all workers and replicas together" if pace["shared"] else "this worker alone"
    lines = [
        f"Requests to {whom}, {where}: {pace['last_minute']} in the last minute, at a pace of {pace['pace']:g} of "
        f"{pace['requests_per_minute']:g}; {pace['waiting']} wait; "
        + ("StackSpot refused none." if ago is None else f"StackSpot refused one {ago:.0f} s ago.")
    ]
    if pace["keys"]:
        total = max(sum(key["last_minute"] for key in pace["keys"]), 1)
        rows = [
            (key["name"], str(key["last_minute"]), f"{100 * key['last_minute'] / total:.0f} %", str(key["waiting"]))
            for key in pace["keys"]
        ]
        lines += ["", render(("key", "last minute", "share", "waiting"), rows)]
    return "\n".join(lines)
