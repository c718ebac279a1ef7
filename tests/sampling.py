"""Cases of one kind: `make test` runs some of them, `make test-all` every one."""

from collections.abc import Iterable
from typing import Any

import pytest

thorough = pytest.mark.thorough


def first(cases: Iterable[Any], count: int = 1) -> list[Any]:
    """For parametrize: the first `count` of `cases` as they are, the others marked `thorough`."""
    rest = list(cases)
    return [*rest[:count], *map(_thorough, rest[count:])]


def every(step: int, cases: Iterable[Any]) -> list[Any]:
    """For parametrize: one in `step` of `cases` as it is, the others marked `thorough`."""
    return [case if at % step == 0 else _thorough(case) for at, case in enumerate(cases)]


def _thorough(case: Any) -> Any:
    return pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=thorough)
