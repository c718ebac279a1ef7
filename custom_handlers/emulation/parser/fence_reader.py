"""Code fences: what they hold is text, unless it is nothing but calls."""

import re

from custom_handlers.emulation.parser import markers
from custom_handlers.emulation.parser.answer_text import FENCE, TEXT, AnswerText
from custom_handlers.emulation.parser.call_markers import call_begins
from custom_handlers.emulation.parser.markers import FENCE_END, blank
from custom_handlers.emulation.parser.output import Output


class FenceReader(AnswerText):
    def __init__(self, out: Output) -> None:
        super().__init__(out)
        self._fence = ""  # the marker of the code fence that is open
        self._wrapped = False  # has the fence held nothing but calls so far

    def _meet_fence(self, marker: re.Match[str], start: int, last: bool, *, calls: bool) -> bool | None:
        text = self._buffer
        line = text[start : marker.end()]
        run = line[: len(line) - len(line.lstrip(line[0]))]
        if self._wrapped:
            if self._closes(run) and blank(line[len(run) :]):
                self._fence, self._wrapped = "", False
                return self._skip_marker(start, marker.end() - 1)
            self._unwrap()
            return True
        if self._line.in_code(text, start):
            return None
        inside = calls and call_begins(text, marker.end(), last=last)
        if inside is None:
            self._pass(marker.start() + (text[marker.start()] == "\n"))
            return False
        self._fence = run
        if not inside:
            self._pass(marker.end())
            self._mode, self._after_call = FENCE, False
            return True
        raw, rest = text[start : marker.end()], text[marker.end() :]
        self._pass(start)
        self._after_marker(rest, raw)
        self._wrapped, self._after_call = True, False
        return True

    def _fenced(self, last: bool) -> bool:
        text, at = self._buffer, 0
        begun = len(text) if last else markers.fence_end_begun(text)
        while (end := FENCE_END.search(text, at)) and (end.start() < begun or last):
            if self._closes(end[1]):
                self._pass(end.end() - text.endswith("\n", end.start(), end.end()))
                self._fence, self._mode = "", TEXT
                return True
            at = end.start() + 1
        self._pass(begun)
        return False

    def _closes(self, run: str) -> bool:
        return run[0] == self._fence[0] and len(run) >= len(self._fence)

    def _unwrap(self) -> None:
        """The fence holds other things than calls: what it holds is text."""
        self._out.settle(meant=False)
        self._wrapped = self._after_call = False
        self._mode = FENCE
