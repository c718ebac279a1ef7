"""Counts what a JSON text holds while it arrives, piece by piece, before anything is made of it.

A JSON parser holds the interpreter until it is done, and makes far more memory of many small values than they take as
text. This looks at one piece at a time with a few passes that run in C, and is linear for every text. It does not
check the grammar: the parser does, once the text is known to be small enough.
"""

from __future__ import annotations

from itertools import accumulate

_OPENING, _CLOSING = b"[{", b"]}"
_NO_BRACKETS = bytes(set(range(256)) - set(_OPENING + _CLOSING))
_STEPS = bytes(2 if byte in _OPENING else 0 if byte in _CLOSING else 1 for byte in range(256))


class Scanner:
    """`values`, `names` (of objects' members) and `deepest` of the text so far."""

    def __init__(self) -> None:
        self.values = self.names = self.deepest = 0
        self._depth = 0
        self._in_string = False
        self._backslash = b""

    def feed(self, piece: bytes) -> None:
        """The next piece, cut anywhere."""
        # Escaped backslashes first, then escaped quotes: the quotes that are left begin and end strings.
        text = (self._backslash + piece).replace(b"\\\\", b"").replace(b'\\"', b"")
        self._backslash = b"\\" if text.endswith(b"\\") else b""
        if self._backslash:
            text = text[:-1]
        parts = text.split(b'"')
        outside = b"".join(parts[1 if self._in_string else 0 :: 2])
        self._in_string ^= len(parts) % 2 == 0
        opened = outside.count(b"[") + outside.count(b"{")
        # Each value follows a comma, or is the first in its brackets.
        self.values += opened + outside.count(b",")
        self.names += outside.count(b":")
        if opened:
            steps = outside.translate(_STEPS, _NO_BRACKETS)
            self.deepest = max(self.deepest, self._depth + max(accumulate(step - 1 for step in steps)))
        self._depth += opened - outside.count(b"]") - outside.count(b"}")
