"""Two spellings of one thing: `python -m gateway keys create dev1 --budget 5` and `make key NAME=dev1 BUDGET=5`.

What is said to the user names options and commands as that user typed them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

PROGRAM = "python -m gateway"

_make = ContextVar("make", default=False)


@contextmanager
def spelled_for_make() -> Iterator[None]:
    """Within the block everything is said to somebody who typed `make`."""
    token = _make.set(True)
    try:
        yield
    finally:
        _make.reset(token)


def option(name: str) -> str:
    """How the option `name` is typed."""
    return name.upper().replace("-", "_") if _make.get() else f"--{name}"


def command(words: str, make: str) -> str:
    """How a command is typed, given in both spellings."""
    return f"`make {make}`" if _make.get() else f"`{PROGRAM} {words}`"


def flag(name: str) -> str:
    """How `make key` is told to do what is a command of its own on the command line."""
    return f"{name.upper()}=1" if _make.get() else f"`{PROGRAM} keys {name}`"
