"""Patterns with a second one for the beginnings of what they match: a piece may end in the middle of a marker."""

import re
from dataclasses import dataclass
from functools import reduce


@dataclass(frozen=True, slots=True)
class Pattern:
    """Source texts for `re`: `full` matches the whole, `begun` every beginning of it, the empty one as well."""

    full: str
    begun: str

    def __add__(self, other: "Pattern") -> "Pattern":
        return Pattern(self.full + other.full, f"(?:{self.full}{other.begun}|{self.begun})")

    def __or__(self, other: "Pattern") -> "Pattern":
        return Pattern(f"(?:{self.full}|{other.full})", f"(?:{self.begun}|{other.begun})")

    def named(self, name: str) -> "Pattern":
        return Pattern(f"(?P<{name}>{self.full})", self.begun)

    def maybe(self) -> "Pattern":
        return Pattern(f"(?:{self.full})?", self.begun)


def text(literal: str) -> Pattern:
    begun = ""
    for character in reversed(literal):
        begun = f"(?:{re.escape(character)}{begun})?"
    return Pattern(re.escape(literal), begun)


def run(characters: str, least: int, most: int, *, lazy: bool = False) -> Pattern:
    """`least` to `most` of a set of characters; as few as can be if `lazy`."""
    return Pattern(f"{characters}{{{least},{most}}}{'?' * lazy}", f"{characters}{{0,{most}}}")


def one_of(*patterns: Pattern | str) -> Pattern:
    return reduce(Pattern.__or__, (text(pattern) if isinstance(pattern, str) else pattern for pattern in patterns))


def row(*patterns: Pattern | str) -> Pattern:
    """The patterns one behind the other."""
    parts = [text(pattern) if isinstance(pattern, str) else pattern for pattern in patterns]
    return reduce(lambda behind, before: before + behind, reversed(parts))
