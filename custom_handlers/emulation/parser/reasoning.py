"""What a model thinks between tags, apart from its answer."""

import re

from custom_handlers.emulation.parser.markers import THOUGHT_BEGINNING, THOUGHT_BEGUN, thought_end, thought_end_begun

_CALL_AT_END = re.compile(r"<tool_call>(?:(?!<tool_call>).)*</tool_call>\s*\Z", re.DOTALL)
_LOOKED_BACK = 100_000


class OpenReasoning:
    """A thought that the tag `opening` has begun; `text` is what has been read of it.

    If it was `begun` before the answer, the answer may begin with a tag all the same.
    """

    def __init__(self, opening: str = "<think>", *, begun: bool = False) -> None:
        self._end = thought_end(opening)
        self._may_open = begun
        self._emitted: list[str] = []
        self._space: list[str] = []  # emitted only if more of the thought follows

    @property
    def text(self) -> str:
        return "".join(self._emitted)

    @property
    def call_at_end(self) -> str:
        call = _CALL_AT_END.search(self.text[-_LOOKED_BACK:])
        return call.group() if call else ""

    def read(self, text: str, last: bool) -> tuple[str, str, bool]:
        """What of `text` is emitted, what is left of it, and whether the thought has ended."""
        if self._may_open:
            if opening := THOUGHT_BEGINNING.match(text):
                self._end, text = thought_end(opening.group()), text[opening.end() :]
            elif not last and THOUGHT_BEGUN.fullmatch(text):
                return "", text, False
            self._may_open = False
        found = self._end.search(text)
        while found and text[found.start() - 1 : found.start()] == "`":  # in inline code it is only talked about
            if found.end() == len(text) and not last:
                return self._emit(text[: found.start() - 1]), text[found.start() - 1 :], False
            if text[found.end() : found.end() + 1] != "`":
                break
            found = self._end.search(text, found.end())
        if found:
            return self._emit(text[: found.start()]), text[found.end() :], True
        begun = len(text) if last else thought_end_begun(text)
        begun -= not last and text[begun - 1 : begun] == "`"
        return self._emit(text[:begun]), text[begun:], False

    def _emit(self, text: str) -> str:
        if not self._emitted:
            text = text.lstrip()
        end = len(text.rstrip())
        emitted = "".join(self._space) + text[:end] if end else ""
        if emitted:
            self._emitted.append(emitted)
            self._space = []
        if self._emitted and end < len(text):
            self._space.append(text[end:])
        return emitted
