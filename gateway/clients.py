"""`clients`: how to point a client at your gateway, from `clients/`, with the address filled in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import click

from gateway.addresses import gateway_url
from gateway.failures import InputError
from gateway.management import settings
from gateway.options import Group, json_option
from gateway.project import ROOT, require_host
from gateway.tables import print_json

CLIENTS = ROOT / "clients"
MODEL = "stackspot-code"
KEY = "$STACKSPOT_GATEWAY_KEY"
# Two clients begin with this one's own word for itself.
_PROGRAMS = {"claude": "claude-code"}
_BLOCK = re.compile(r"(?:^([^\n]*):\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class UnknownClientError(InputError):
    """The message is for whoever typed the name."""


@dataclass(frozen=True)
class Block:
    """A fenced part of a how-to: `label` is the line that announces it, `language` what stands behind the fence."""

    label: str
    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The path of the file that this is the content of."""
        named = re.match(r"`([^`]+)`", self.label)
        return named[1] if named else None


def names() -> list[str]:
    """The clients that there are how-tos for."""
    return sorted(path.stem for path in CLIENTS.glob("*.md") if path.stem != "README")


def find(name: str) -> str:
    """The client that `name` is, or is the beginning of. Raises UnknownClientError."""
    known = names()
    name = _PROGRAMS.get(name, name)
    found = [name] if name in known else [known_name for known_name in known if name and known_name.startswith(name)]
    if len(found) != 1:
        problem = f"There is no client {name}" if name else "Say which client"
        raise UnknownClientError(f"{problem}; NAME is one of: {', '.join(found or known)}.")
    return found[0]


def filled(name: str, *, gateway: str, model: str = MODEL, key: str = KEY) -> str:
    """The how-to of a client. Raises UnknownClientError."""
    text = (CLIENTS / f"{find(name)}.md").read_text()
    for placeholder, value in (("gateway", gateway.rstrip("/")), ("model", model), ("key", key)):
        text = text.replace(f"{{{{{placeholder}}}}}", value)
    return text


def blocks(text: str) -> Iterator[Block]:
    """The fenced parts of a how-to, in order."""
    for found in _BLOCK.finditer(text):
        yield Block(found[1] or "", found[2], found[3])


def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in names() if name.startswith(incomplete)]


@click.group(cls=Group)
def clients() -> None:
    """Clients: how to point each one at your gateway."""


@clients.command("list")
@json_option
def list_clients(as_json: bool) -> None:
    """List the clients that there are how-tos for."""
    require_host("clients list")
    if as_json:
        print_json(names())
    else:
        print("\n".join(names()))


@clients.command()
@click.argument("name", required=False, metavar="NAME", shell_complete=complete)
def show(name: str | None) -> None:
    """Print how to set up the client NAME.

    The beginning of a name is enough. The gateway's address is filled in.
    """
    require_host("clients show")
    environ = settings()
    print(filled(name or "", gateway=gateway_url(environ)).rstrip())
    if not environ.get("STACKSPOT_GATEWAY_KEY"):
        print("\nPut your virtual key into the environment first: export STACKSPOT_GATEWAY_KEY=sk-...")
