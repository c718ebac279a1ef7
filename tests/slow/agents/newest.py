"""Lets the newest version of every client do the work: `make clients-newest [NAME=codex]`, before a release.

What is locked is what the tests run; users install what is newest. Everything is installed in a temporary folder, and
each client has a folder of its own, so that one that cannot be installed is one line of the table.
"""

import os
import re
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.failures import InputError, guarded, interrupt_once
from gateway.tables import render
from simulator.client import Simulator
from tests.harness import Account, running_gateway, running_simulator
from tests.slow.agents import orders, work
from tests.slow.agents.installing import NODE, OLDEST_PYTHON, install_into, make_venv, npm_install, npm_programs
from tests.slow.agents.packages import CLIENTS, EXTRACTORS, Client, locked_version
from tests.slow.agents.running import Place, run_as_told

WORKED = "worked"
MODEL = "coder-flawed"
_LONGEST = 120
_HEADER = ("client", "version", "locked", "result")


@dataclass(frozen=True)
class Tried:
    """How it went with the newest version of a client; `version` is "-" if it could not be installed."""

    name: str
    version: str
    locked: str
    result: str

    @property
    def row(self) -> tuple[str, str, str, str]:
        return self.name, self.version, self.locked, self.result


def chosen(environ: Mapping[str, str]) -> list[str]:
    """The clients to try: all, or the one that was typed. Raises InputError."""
    name = environ.get("NAME", "") if "NAME" in environ.get("TYPED_VARIABLES", "").split() else ""
    if name and name not in CLIENTS:
        raise InputError(f"There is no client {name}; NAME is one of: {', '.join(CLIENTS)}.")
    return [name] if name else list(CLIENTS)


def installed(client: Client, folder: Path, base: Path, node: Path | None) -> tuple[str, Place]:
    """The newest version of a client in `folder`, and a place to run it in."""
    if client.registry == "npm":
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        npm_install(folder, *(f"{name}@latest" for name in client.names))
        modules = folder / "node_modules"
        programs = npm_programs(modules) | ({"node": node} if node else {})
        return npm_version(modules, client.package), Place.new(base, programs, modules=modules)
    venv = folder / "venv"
    make_venv(venv, OLDEST_PYTHON.get(client.environment, (3, 11)))
    install_into(venv, *client.names)
    return python_version(venv, client.package), Place.new(base, {}, python=venv / "bin")


def npm_version(modules: Path, package: str) -> str:
    found = re.search(r'"version": "([^"]+)"', (modules / package / "package.json").read_text())
    return found[1] if found else "?"


def python_version(venv: Path, package: str) -> str:
    asked = f"from importlib.metadata import version; print(version({package!r}))"
    command = [str(venv / "bin" / "python"), "-c", asked]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def try_client(name: str, install: Callable[[Client], tuple[str, Place]], url: str, key: str) -> Tried:
    """Installs a client and lets it do the work; whatever goes wrong is told in a line."""
    locked, version = locked_version(CLIENTS[name]), "-"
    try:
        version, place = install(CLIENTS[name])
        task = orders.TASK if name in EXTRACTORS else work.TASK
        output = run_as_told(name, place, gateway=url, key=key, task=task)
        try:
            orders.check(output) if name in EXTRACTORS else work.check(place.folder)
        except AssertionError as problem:
            raise AssertionError(f"{output}\n{str(problem).splitlines()[0]}") from None
    except (AssertionError, LookupError, OSError, subprocess.SubprocessError) as problem:
        traceback.print_exc(file=sys.stderr)
        return Tried(name, version, locked, last_line(str(problem)))
    return Tried(name, version, locked, WORKED)


def last_line(text: str) -> str:
    """What a failed command said last: there is what was wrong."""
    lines = [line.strip() for line in text.splitlines() if re.search(r"\w", line)]
    return lines[-1][:_LONGEST] if lines else "failed without a word"


def main(environ: Mapping[str, str]) -> int:
    names = chosen(environ)
    interrupt_once()
    account, tried = Account.new(), []
    with tempfile.TemporaryDirectory(prefix="clients-newest-", ignore_cleanup_errors=True) as temporary:
        base = Path(temporary)
        node = newest_node(base / "node", names)
        with (
            running_simulator(account, base / "simulator.log") as simulator,
            running_gateway(account.for_gateway(simulator.url), base / "gateway.log", cold=True) as gateway,
            Simulator(simulator.url) as switches,
        ):
            for name in names:
                switches.reset()
                switches.model(MODEL)
                switches.rule(orders.ANSWER, when=orders.TASK)
                (folder := base / name).mkdir()

                def install(client: Client, folder: Path = folder) -> tuple[str, Place]:
                    return installed(client, folder, folder / "place", node)

                tried.append(try_client(name, install, gateway.url, gateway.key))
                print(f"{name}: {tried[-1].result}", file=sys.stderr, flush=True)
    print(render(_HEADER, [each.row for each in tried]))
    return status(tried)


def newest_node(folder: Path, names: list[str]) -> Path | None:
    """A Node.js that is new enough for the npm clients, where there is a package of it."""
    if all(CLIENTS[name].registry != "npm" for name in names):
        return None
    folder.mkdir()
    (folder / "package.json").write_text('{"private": true}')
    npm_install(folder, f"{NODE}@22")
    return npm_programs(folder / "node_modules").get("node")


def status(tried: list[Tried]) -> int:
    return int(any(each.result != WORKED for each in tried))


if __name__ == "__main__":
    sys.exit(guarded(lambda: main(os.environ)))
