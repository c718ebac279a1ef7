"""`forget`: deletes what is stored about a developer."""

from __future__ import annotations

import sys
import time

import click

from gateway.failures import GatewayError
from gateway.keys import take_away
from gateway.management import Gateway, with_gateway
from gateway.options import Command, Name

WRITTEN_AFTER = 10  # seconds: LiteLLM collects what was used, and would write it after the deletion


@click.command(cls=Command)
@click.argument("name", cls=Name, whose="whose data", example=("forget dev1", "forget NAME=dev1"))
@with_gateway
def forget(gateway: Gateway, name: str) -> None:
    """Delete what is stored about the developer NAME.

    The keys are refused from now on. Sums of usage by day stay, under a name that leads to nobody. There is no way
    back, except for a backup.
    """
    for key in list(gateway.keys(user_id=name)):
        take_away(gateway, key)
    print(f"Waiting {WRITTEN_AFTER} s, until what is under way is written ...", file=sys.stderr, flush=True)
    time.sleep(WRITTEN_AFTER)
    deleted = gateway.post("/stackspot/forget", {"name": name})["deleted"]
    if not deleted:
        raise GatewayError(f"Nothing is stored about {name}.")
    print(f"What was stored about {name} is deleted. Backups and logs still hold it: see docs/privacy.md.")
