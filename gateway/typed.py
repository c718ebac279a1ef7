"""Refuses what is typed behind `make` and has no meaning there: make itself hands any NAME=VALUE over in silence.

Needs nothing but Python. The Makefile says in TYPED_VARIABLES what was typed, and in TYPED_GOALS for which targets.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from custom_handlers.config.spelling import listed, suggestion
from gateway.environment import belongs, passed_on
from gateway.names import known

LIMITS = ("BUDGET", "PERIOD", "RPM", "TPM", "MODELS")
OPTIONS: dict[str, tuple[str, ...]] = {
    "demo": ("ONCE",),
    "run": (),
    "client": ("NAME",),
    "key": ("NAME", "TEAM", *LIMITS, "EXPIRES", "ROTATE", "UPDATE"),
    "keys": (),
    "revoke": ("NAME",),
    "team": ("NAME", *LIMITS),
    "usage": ("DAYS", "CSV", "FORMAT"),
    "clean-data": (),
    "env": (),
    "up": (),
    "down": (),
    "logs": (),
    "status": (),
    "backup": (),
    "restore": ("FILE",),
    "upgrade": (),
}
MAKES_OWN = ("PYTHON", "SHELL", "MAKEFLAGS")
EXIT_INPUT = 2


def mistakes(environ: Mapping[str, str]) -> list[str]:
    """A sentence for each variable that was typed and that no target of this call takes."""
    goals = environ.get("TYPED_GOALS", "").split()
    if any(goal not in OPTIONS for goal in goals):
        return []  # targets for developers, with variables of the tools behind them
    options = list(dict.fromkeys(option for goal in goals for option in OPTIONS[goal]))
    takes = f"`make {' '.join(goals)}` takes {listed(options) if options else 'no options'}."
    every = {option for each in OPTIONS.values() for option in each}
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


def main() -> int:
    found = mistakes(os.environ)
    for mistake in found:
        print(mistake, file=sys.stderr)
    return EXIT_INPUT if found else 0


if __name__ == "__main__":
    sys.exit(main())
