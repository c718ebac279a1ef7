"""`admins`: administrators who sign in to the admin UI with a name and a password of their own.

Each gets a link, and chooses the password there: nobody else ever knows it.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from gateway import spelling
from gateway.failures import InputError
from gateway.management import Gateway, RefusedError, with_gateway
from gateway.options import Group, Name, json_option
from gateway.tables import day, print_json, render

ROLE = "proxy_admin"
# LiteLLM books what the master key does to this user, and an invitation needs to be somebody's. Its shared login makes
# the user; without that login nobody does.
MASTER = "default_user_id"
PAGE_SIZE = 100

name_of_admin = click.argument(
    "name", cls=Name, whose="who", example=("admins create ana@example.com", "admin NAME=ana@example.com")
)


@click.group(cls=Group)
def admins() -> None:
    """Administrators who sign in to the admin UI by name."""


@admins.command("list")
@json_option
@with_gateway
def list_admins(gateway: Gateway, as_json: bool) -> None:
    """List who may sign in to the admin UI as administrator."""
    found = [user for user in _administrators(gateway) if user["user_id"] != MASTER]
    if as_json:
        print_json([{"name": user["user_id"], "since": user["created_at"]} for user in found])
        return
    if not found:
        example = spelling.command("admins create ana@example.com", "admin NAME=ana@example.com")
        print(f"There are no named administrators yet: {example}")
        return
    print(render(("name", "since"), [(user["user_id"], day(user["created_at"])) for user in found]))


@admins.command()
@name_of_admin
@with_gateway
def create(gateway: Gateway, name: str) -> None:
    """Let NAME sign in to the admin UI as administrator.

    Prints a link, alone on standard output: NAME chooses a password there, once, within a week. For somebody who is an
    administrator already it is a way to a new password.
    """
    if not any(user["user_id"] == name for user in _administrators(gateway)):
        _make(gateway, name)
    with_id = {"user_role": ROLE, "auto_create_key": False}
    try:
        gateway.post("/user/new", {"user_id": MASTER, **with_id})
    except RefusedError as refusal:
        if "already exists" not in refusal.reason:
            raise
    invitation = gateway.post("/invitation/new", {"user_id": name})["id"]
    print(f"{name} chooses a password here, and signs in with {name} from then on:", file=sys.stderr, flush=True)
    print(f"{gateway.url}/ui/onboarding?invitation_id={invitation}", flush=True)


@admins.command()
@click.argument("name", cls=Name, whose="who", example=("admins remove ana@example.com", "admin NAME=ana@example.com"))
@with_gateway
def remove(gateway: Gateway, name: str) -> None:
    """Take the administrator NAME out.

    Open sessions end with it.
    """
    if not any(user["user_id"] == name for user in _administrators(gateway)):
        raise InputError(f"{name} is no named administrator.")
    gateway.post("/user/delete", {"user_ids": [name]})
    print(f"{name} is no administrator any more, and is signed out.")


def _make(gateway: Gateway, name: str) -> None:
    try:
        gateway.post(
            "/user/new",
            {"user_id": name, "user_alias": name, "user_email": name, "user_role": ROLE, "auto_create_key": False},
        )
    except RefusedError as refusal:
        if "already exists" in refusal.reason:
            raise InputError(
                f"{name} is a developer's name: choose another one, so that a key never has an administrator's rights."
            ) from None
        raise


def _administrators(gateway: Gateway) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    page = pages = 1
    while page <= pages:
        answer = gateway.get("/user/list", role=ROLE, page=page, page_size=PAGE_SIZE)
        found += answer["users"]
        page, pages = page + 1, answer["total_pages"]
    return sorted(found, key=lambda user: str(user["user_id"]))
