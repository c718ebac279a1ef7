"""Text that passes as it comes, which is most of an answer: a piece in which nothing begins costs one look.

What is held back is the end of the text so far: space, which is emitted only if text follows, and behind it what a
marker may begin with. Answers say the same short things again and again, so what has become of one is remembered.
"""

import re
from typing import TypeAlias

from custom_handlers.emulation.parser.markers import SPACE
from custom_handlers.emulation.parser.segments import Segment, Text

_MOST_HELD = 512  # characters; more of them are looked over again and again
_LONGEST_KNOWN, _MOST_KNOWN = 24, 1024

Passed: TypeAlias = tuple[list[Segment], str]  # what is emitted, and what is held back


class Flow:
    """In text or in a code fence. `suspect` finds where something may begin there, and `begun` matches where the text
    ends before that can be told.
    """

    def __init__(self, suspect: re.Pattern[str], begun: re.Pattern[str]) -> None:
        self.known: dict[str, Passed] = {}  # by what was held back, with the piece behind it
        self._suspect, self._begun = suspect, begun

    def look(self, text: str) -> Passed | None:
        """What passes of `text`; None if something may begin in it."""
        end = len(text)
        if found := self._suspect.search(text):
            end = found.start()
            if not self._begun.match(text, end):
                return None
        emitted = text[:end].rstrip(SPACE)
        held = text[len(emitted) :]
        if len(held) > _MOST_HELD:
            return None
        passed: Passed = ([Text(emitted)] if emitted else [], held)
        if len(text) <= _LONGEST_KNOWN and len(self.known) < _MOST_KNOWN:
            self.known[text] = passed
        return passed

    def split(self, held: str) -> tuple[str, str]:
        """Of what is held back the space, and what a marker may begin with."""
        found = self._suspect.search(held)
        # A line break that a marker may begin with is space as well: the reader looks at the character before.
        at = found.start() + (held[found.start()] == "\n") if found else len(held)
        return held[:at], held[at:]
