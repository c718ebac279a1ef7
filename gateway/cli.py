"""The one program: `python -m gateway`. Each group stands in the module of its name."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from custom_handlers.version import __version__
from gateway import spelling
from gateway.admins import admins
from gateway.clients import clients
from gateway.completion import VARIABLE, completion
from gateway.compose import backup, restore, upgrade
from gateway.configure import configure
from gateway.doctor.command import doctor
from gateway.env_file import write
from gateway.failures import EXIT_INTERRUPTED, GatewayError, InputError, guarded
from gateway.forget import forget
from gateway.keys import keys
from gateway.options import Command, Group
from gateway.project import ROOT, require_host, require_module
from gateway.status import status
from gateway.teams import teams
from gateway.usage import usage
from gateway.whoami import whoami

NAME = "stackspot-ai-team-gateway"


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name=NAME, message="%(prog)s %(version)s")
@click.option(
    "--url", metavar="URL", help="The gateway to act on, in place of GATEWAY_URL; else the one on this machine."
)
def program(url: str | None) -> None:
    """The StackSpot AI team gateway: keys, teams, usage, and running it.

    Keys, teams and usage are those of the gateway at GATEWAY_URL (without it, on this machine) and need its
    LITELLM_MASTER_KEY. Both come from the environment or from .env. `whoami` takes a developer's own key.
    """


@click.command(cls=Command)
def env() -> None:
    """Write .env with new secrets, unless there is one."""
    require_host("env")
    write(ROOT)


@click.command(cls=Command)
def run() -> int:
    """Start the gateway without Docker.

    With your own credentials, from .env or the environment.
    """
    require_host("run")
    return int(require_module("gateway.run").main())


@click.command(cls=Command)
@click.option("--once", is_flag=True, help="End after the tour.")
def demo(once: bool) -> int:
    """Start a gateway on simulated agents and show it.

    It stays up until Ctrl-C. Nothing of it outlives it.
    """
    require_host("demo")
    return int(require_module("gateway.demo").main(once=once))


@click.group(cls=Group)
def data() -> None:
    """The database of `run`, which needs no Docker."""


@data.command()
def remove() -> None:
    """Delete the database of `run`.

    Its keys, teams and usage go with it.
    """
    require_host("data remove")
    require_module("database.local").remove(ROOT)


clients.add_command(configure)
for each in (
    keys,
    teams,
    usage,
    admins,
    forget,
    whoami,
    clients,
    env,
    backup,
    restore,
    upgrade,
    status,
    doctor,
    run,
    demo,
    data,
    completion,
):
    program.add_command(each)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what is typed (`sys.argv` without it); the exit status."""
    return guarded(lambda: _dispatch(arguments))


def _dispatch(arguments: Sequence[str] | None) -> int:
    words = None if arguments is None else list(arguments)
    try:
        # False: the errors are told here, each in one line.
        status = program.main(words, prog_name=spelling.PROGRAM, complete_var=VARIABLE, standalone_mode=False)
    except click.UsageError as error:
        raise InputError(_line(error)) from None
    except click.Abort:  # Ctrl-C; click has ended the line
        print("Stopped.", file=sys.stderr)
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        raise GatewayError(error.format_message()) from None
    return status if isinstance(status, int) else 0


def _line(error: click.UsageError) -> str:
    told = " ".join(error.format_message().split())
    where = error.ctx.command_path if error.ctx else spelling.PROGRAM
    return f"{told} `{where} --help` lists what there is."
