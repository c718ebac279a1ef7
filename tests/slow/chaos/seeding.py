"""The seed of a run: whoever has it has the run again."""

import os
import random
import secrets
from functools import cache

import pytest

SEED, MINUTES = "CHAOS_SEED", "CHAOS_MINUTES"
# Of the gate, whose verdict is about the change and not about luck (tests/conftest.py).
REPEATABLE = "1"


@cache
def seed() -> str:
    given = os.environ.get(SEED)
    return given or (REPEATABLE if os.environ.get("HYPOTHESIS_PROFILE") == "repeatable" else secrets.token_hex(4))


def minutes() -> float | None:
    """How long to go on (make chaos); None for the short run."""
    given = os.environ.get(MINUTES, "")
    if given and not given.replace(".", "", 1).isdecimal():
        raise pytest.UsageError(f"{MINUTES} is {given!r}: it has to be a number of minutes.")
    return float(given) if given else None


def dice(*names: object) -> random.Random:
    """What is drawn for `names` depends on nothing but the seed and them."""
    return random.Random(" ".join([seed(), *map(str, names)]))


def replay() -> str:
    """What to type for the same run."""
    return f"make chaos SEED={seed()}"
