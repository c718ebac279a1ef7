"""What is typed behind `make`: checked, and handed to the command line.

    python -m gateway.make            refuses what the targets of this call do not take
    python -m gateway.make TARGET     runs the command of a target

Make hands any NAME=VALUE over in silence. The Makefile says in TYPED_VARIABLES what was typed, and in TYPED_GOALS for
which targets. The check needs nothing but Python, as it comes before anything is installed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from custom_handlers.config.spelling import listed, suggestion
from gateway.environment import belongs, passed_on
from gateway.failures import InputError, guarded
from gateway.names import known

LIMITS = ("BUDGET", "PERIOD", "RPM", "TPM", "MODELS")
ARGUMENTS = ("NAME", "FILE")
FLAGS = {"": False, "0": False, "no": False, "false": False, "1": True, "yes": True, "true": True}
MAKES_OWN = ("PYTHON", "SHELL", "MAKEFLAGS")


@dataclass(frozen=True)
class Target:
    """A target for users: the command behind it, and what may be typed; with NAME, `with_name` is the command."""

    words: tuple[str, ...]
    options: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    with_name: tuple[str, ...] = ()

    @property
    def variables(self) -> tuple[str, ...]:
        return (*self.options, *self.flags)


# A target without words is a line of docker compose in the Makefile.
TARGETS: dict[str, Target] = {
    "demo": Target(("demo",), flags=("ONCE",)),
    "run": Target(("run",)),
    "client": Target(("clients", "show"), ("NAME",)),
    "key": Target(("keys", "create"), ("NAME", "TEAM", *LIMITS, "WEIGHT", "EXPIRES"), ("ROTATE", "UPDATE")),
    "keys": Target(("keys", "list")),
    "revoke": Target(("keys", "revoke"), ("NAME",)),
    "team": Target(("teams", "list"), ("NAME", *LIMITS, "WEIGHT"), with_name=("teams", "set")),
    "admin": Target(("admins", "list"), ("NAME",), with_name=("admins", "create")),
    "forget": Target(("forget",), ("NAME",)),
    "usage": Target(("usage",), ("BY", "DAYS", "TIMEZONE", "CSV", "FORMAT")),
    "clean-data": Target(("data", "remove")),
    "env": Target(("env",)),
    "up": Target(()),
    "down": Target(()),
    "logs": Target(()),
    "status": Target(("status",)),
    "doctor": Target(("doctor",), ("MODEL", "REPORT"), ("NO_AGENTS", "DEEP")),
    "backup": Target(("backup",)),
    "restore": Target(("restore",), ("FILE",)),
    "upgrade": Target(("upgrade",)),
}


def mistakes(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that was typed and that no target of this call takes."""
    goals = environ.get("TYPED_GOALS", "").split()
    if any(goal not in TARGETS for goal in goals):
        return []  # targets for developers, with variables of the tools behind them
    options = list(dict.fromkeys(option for goal in goals for option in TARGETS[goal].variables))
    takes = f"`make {' '.join(goals)}` takes {listed(options) if options else 'no options'}."
    every = {option for each in TARGETS.values() for option in each.variables}
    allowed = {*options, *MAKES_OWN, *known(), *passed_on(environ)}
    found = []
    for name in environ.get("TYPED_VARIABLES", "").split():
        if name in allowed or (belongs(name) and not name.startswith(("GATEWAY_", "KEY_", "STACKSPOT_"))):
            continue
        if name in every:
            found.append(f"{name} has no meaning here: {takes}")
        else:
            found.append(f"{name} is unknown{suggestion(name, [*options, *known()])} {takes}")
    return found


def arguments(target: str, environ: Mapping[str, str]) -> list[str]:
    """What the command line is given for a target. Raises InputError.

    What merely happens to be in the environment does not count as typed.
    """
    wanted = TARGETS[target]
    typed = {name: environ.get(name, "") for name in environ.get("TYPED_VARIABLES", "").split()}
    given = {name: value for name in wanted.variables if (value := typed.get(name))}
    on = [flag for flag in wanted.flags if _is_on(flag, given.get(flag, ""))]
    words = wanted.with_name if wanted.with_name and "NAME" in given else wanted.words
    if target == "key" and on:
        if len(on) > 1:
            raise InputError("UPDATE=1 changes a key's settings, ROTATE=1 replaces the key: choose one.")
        words = ("keys", on.pop().lower())
    options = [f"--{name.lower()}={given[name]}" for name in wanted.options if name in given and name not in ARGUMENTS]
    behind = [given[name] for name in ARGUMENTS if name in given]
    return [
        *words,
        *(f"--{flag.lower().replace('_', '-')}" for flag in on),
        *options,
        *(["--", *behind] if behind else []),
    ]


def _is_on(flag: str, value: str) -> bool:
    try:
        return FLAGS[value.strip().lower()]
    except KeyError:
        raise InputError(f"{flag} is {value!r}: it has to be 1 or 0.") from None


def check(environ: Mapping[str, str]) -> int:
    if found := mistakes(environ):
        raise InputError("\n".join(found))
    return 0


def run(target: str, environ: Mapping[str, str]) -> int:
    from gateway import cli
    from gateway.spelling import spelled_for_make

    with spelled_for_make():
        return cli.main(arguments(target, environ))


def main(words: list[str]) -> int:
    return guarded(lambda: run(words[0], os.environ) if words else check(os.environ))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
