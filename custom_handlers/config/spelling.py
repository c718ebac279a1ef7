"""Finds the name that was meant: a misspelt setting is a mistake, and its sentence names the nearest known one."""

from collections.abc import Iterable
from difflib import get_close_matches

SURE = 0.8  # how alike two names have to be when nothing else says that the one was meant


def nearest(name: str, known: Iterable[str], alike: float = 0.6) -> str | None:
    """The known name that is most like `name`, whatever its case; None when none is like it."""
    by_case = {each.casefold(): each for each in known}
    found = get_close_matches(name.casefold(), by_case, n=1, cutoff=alike)
    return by_case[found[0]] if found else None


def suggestion(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name."""
    meant = nearest(name, known)
    return f"; did you mean {meant}?" if meant else "."


def listed(names: Iterable[str]) -> str:
    """Names in a row: `a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
