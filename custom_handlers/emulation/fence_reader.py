"""Code fences: what they hold is text, unless it is nothing but calls."""

import re

from custom_handlers.emulation import tool_marks
from custom_handlers.emulation.answer_text import FENCE, TEXT, AnswerText
from custom_handlers.emulation.call_marks import call_begins
from custom_handlers.emulation.output import Output
from custom_handlers.emulation.tool_marks import FENCE_END, blank


class FenceReader(AnswerText):
    def __init__(self, out: Output) -> None:
        super().__init__(out)
        self._fence = ""  # the mark of the code fence that is open
        self._wrapped = False  # has the fence held nothing but calls so far

    def _meet_fence(self, mark: re.Match[str], start: int, last: bool, *, calls: bool) -> bool | None:
        text = self._buffer
        line = text[start : mark.end()]
        run = line[: len(line) - len(line.lstrip(line[0]))]
        if self._wrapped:
            if self._closes(run) and blank(line[len(run) :]):
                self._fence, self._wrapped = "", False
                return self._skip_mark(start, mark.end() - 1)
            self._unwrap()
            return True
        if self._line.in_code(text, start):
            return None
        inside = calls and call_begins(text, mark.end(), last=last)
        if inside is None:
            self._pass(mark.start() + (text[mark.start()] == "\n"))
            return False
        self._fence = run
        if not inside:
            self._pass(mark.end())
            self._mode, self._behind = FENCE, False
            return True
        raw, rest = text[start : mark.end()], text[mark.end() :]
        self._pass(start)
        self._after_mark(rest, raw)
        self._wrapped, self._behind = True, False
        return True

    def _fenced(self, last: bool) -> bool:
        text, at = self._buffer, 0
        begun = len(text) if last else tool_marks.fence_end_begun(text)
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
        self._wrapped = self._behind = False
        self._mode = FENCE
