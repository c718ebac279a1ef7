"""Where a call that has begun ends. A body is read in pieces, each of them once."""

import re
from collections.abc import Callable
from typing import Protocol

_STRINGS = {quote: re.compile(rf"[^{quote}\\]*+(?:\\.[^{quote}\\]*+)*+", re.DOTALL) for quote in "\"'"}
_AHEAD = 120  # no end marker is longer, with what must follow it
_NEXT_TAG = r"(?=\s{0,60}<(?:/?(?:antml:)?(?:param(?:eter)?|function|invoke)|/?tool_call|/?｜DSML｜|/?arg_|/minimax:))"
_DSML = "｜DSML｜ ?"
# What may hold an end marker that is none, by its beginning: parameters are raw text, as is a patch.
_SPANS = [
    (re.compile("<(?:antml:)?param(?:eter)?[=\\s]"), re.compile(rf"</(?:antml:)?param(?:eter)?>{_NEXT_TAG}")),
    (re.compile(f"<{_DSML}parameter\\s"), re.compile(rf"</{_DSML}parameter>{_NEXT_TAG}")),
    (re.compile("<arg_value>"), re.compile(rf"</arg_value>{_NEXT_TAG}")),
    (re.compile(r'<\|"\|>'), re.compile(r'<\|"\|>')),
    (re.compile(r"\*\*\* Begin Patch"), re.compile(r"\*\*\* End Patch")),
]
_SPECIAL = re.compile("[\"'<*]")
END_MARK = re.compile(
    r"</(?:tool_calls?|(?:antml:)?function_calls|function|minimax:tool_call)\s{0,9}>|</(?:antml:)?invoke>"
    rf"|</{_DSML}(?:invoke|function_calls|tool_calls|calls)>|<\|tool_call_end\|>|<\|tool_calls_section_end\|>"
    r"|<｜tool▁calls?▁end｜>|<tool_call\|>|<\|(?:call|end|eom_id|eot_id|python_end|im_end)\|>"
    # A call that begins, or a result, ends one too.
    rf"|(?=<tool_calls?[\s>]|<function[=\s]|<(?:antml:|{_DSML})?invoke\s|<tool_response[\s>]|<\|tool_call_begin\|>"
    r"|<｜tool▁call▁begin｜>|<\|start\|>)"
)
_BRACKETS = {"json": re.compile(r'["{}\[\]]'), "python": re.compile(r"[\"'{}\[\]()]")}


def within(quote: str) -> Callable[[str], object]:
    """Says of a text whether all of it belongs to the string that `quote` has begun."""
    return _STRINGS[quote].fullmatch


class Body(Protocol):
    quote: str  # the string that has begun and not ended: nothing else counts in it

    def end(self, text: str, last: bool) -> tuple[int, int | None]:
        """How far `text` surely belongs to the call, and where its end marker ends, if that is there.

        Called again with the rest of the text, and what has come since. After `last` nothing comes.
        """


class Marked:
    """Ended by an end marker outside strings, parameters and patches."""

    def __init__(self) -> None:
        self._inside: re.Pattern[str] | None = None
        self.quote = ""

    def end(self, text: str, last: bool) -> tuple[int, int | None]:
        at = 0
        while at < len(text):
            if self.quote:
                at = _STRINGS[self.quote].match(text, at).end()  # type: ignore[union-attr]
                if at == len(text) or text[at] == "\\":
                    return at, None
                self.quote = ""
                at += 1
            elif self._inside:
                if not (close := self._inside.search(text, at)):
                    return (len(text) if last else max(at, len(text) - _AHEAD)), None
                self._inside, at = None, close.end()
            elif not (found := _SPECIAL.search(text, at)):
                return len(text), None
            elif found.group() in "\"'":
                self.quote, at = found.group(), found.end()
            elif marker := END_MARK.match(text, found.start()):
                return marker.start(), marker.end()
            elif span := next(((begun, ends) for b, ends in _SPANS if (begun := b.match(text, found.start()))), None):
                self._inside, at = span[1], span[0].end()
            elif len(text) - found.start() < _AHEAD and not last:
                return found.start(), None
            else:
                at = found.end()
        return at, None


class Bracketed:
    """Ended by the bracket that closes its first one; `language` is json or python."""

    def __init__(self, language: str) -> None:
        self._special = _BRACKETS[language]
        self._depth = 0
        self.quote = ""

    def end(self, text: str, last: bool) -> tuple[int, int | None]:
        at = 0
        while at < len(text):
            if self.quote:
                at = _STRINGS[self.quote].match(text, at).end()  # type: ignore[union-attr]
                if at == len(text) or text[at] == "\\":
                    return at, None
                self.quote = ""
                at += 1
            if not (found := self._special.search(text, at)):
                return len(text), None
            at = found.end()
            if (character := found.group()) in "\"'":
                self.quote = character
            else:
                self._depth += 1 if character in "{[(" else -1
                if self._depth <= 0:
                    return at, at
        return at, None


class Until:
    """Ended by the first text that matches."""

    def __init__(self, marker: str) -> None:
        self.quote = ""
        self._marker = re.compile(marker)

    def end(self, text: str, last: bool) -> tuple[int, int | None]:
        if found := self._marker.search(text):
            return found.start(), found.end()
        return (len(text) if last else max(0, len(text) - _AHEAD)), None
