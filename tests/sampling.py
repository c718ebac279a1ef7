"""Cases of one kind: `make test` runs some of them, `make test-all` every one."""

import os
from collections.abc import Iterable
from typing import Any

import pytest

thorough = pytest.mark.thorough
_ALL = "TEST_ALL_CASES"  # tells the workers of pytest-xdist as well


def note_selection(markers: str) -> None:
    """Takes pytest's expression of `-m`."""
    if not markers:
        os.environ[_ALL] = "1"


def all_cases() -> bool:
    """Whether this run is of `make test-all`, which spares nothing."""
    return _ALL in os.environ


def first(cases: Iterable[Any], count: int = 1) -> list[Any]:
    """For parametrize: the first `count` of `cases` as they are, the others marked `thorough`."""
    rest = list(cases)
    return [*rest[:count], *map(_thorough, rest[count:])]


def every(step: int, cases: Iterable[Any]) -> list[Any]:
    """For parametrize: one in `step` of `cases` as it is, the others marked `thorough`."""
    return [case if at % step == 0 else _thorough(case) for at, case in enumerate(cases)]


def paired(some: Iterable[Any], others: Iterable[Any]) -> list[Any]:
    """For parametrize: each of `some` with each of `others`; as it is where both come in turn, the rest `thorough`."""
    others = list(others)
    pairs = [(at, one, to, other) for at, one in enumerate(some) for to, other in enumerate(others)]
    return [(one, other) if at % len(others) == to else _thorough((one, other)) for at, one, to, other in pairs]


def _thorough(case: Any) -> Any:
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=thorough)
