"""The text of an answer while it is read: what of it is emitted, and what is still to be looked at."""

from custom_handlers.emulation.parser.flow import Flow
from custom_handlers.emulation.parser.lines import Line
from custom_handlers.emulation.parser.markers import (
    FENCE_SUSPECT,
    FENCE_SUSPECT_BEGUN,
    SPACE,
    SUSPECT,
    SUSPECT_BEGUN,
    blank,
)
from custom_handlers.emulation.parser.output import Output

TEXT, FENCE, CALL, THOUGHT = "text", "fence", "call", "thought"  # what the buffer is in


class AnswerText:
    def __init__(self, out: Output) -> None:
        self._out = out
        self._mode = TEXT
        self._buffer = "\n"  # in text and in a fence with the character before it, which is emitted already
        self._line = Line()
        self._after_call = False  # directly behind a call: nothing but space since then
        self._sure = True  # is a call sure that follows in its line
        self._flows = {TEXT: Flow(SUSPECT, SUSPECT_BEGUN), FENCE: Flow(FENCE_SUSPECT, FENCE_SUSPECT_BEGUN)}
        self._flow: Flow | None = None  # while nothing is open, and all is emitted but what is held back
        self._held = ""
        self._run: list[str] = []  # pieces that have passed: they are looked back on only when something may begin

    def _enter_flow(self) -> None:
        """Has the next pieces pass, if that can be."""
        if self._mode in self._flows and len(self._buffer) == 1 and not self._after_call:
            space = self._out.space_before_text
            if space is not None and (space[-1] == self._buffer if space else self._buffer not in SPACE):
                self._flow, self._held = self._flows[self._mode], space

    def _leave_flow(self) -> None:
        """Makes up for what was not done at each piece that has passed."""
        if self._flow is None:
            return
        space, rest = self._flow.split(self._held)
        passed = "".join(self._run)
        passed = passed[: len(passed) - len(rest)]
        self._flow, self._held = None, ""
        self._run.clear()
        if passed:
            self._out.passed(space)
            self._line.add(passed)
            self._buffer = passed[-1]
        self._buffer += rest

    def _pass(self, end: int) -> None:
        """The buffer is text up to `end`."""
        text, rest = self._buffer[1:end], self._buffer[max(end, 1) :]
        if text:
            self._emit(text)
            self._buffer += rest

    def _emit(self, text: str) -> None:
        if self._mode == FENCE:
            self._out.put(text)
        else:
            self._out.text(text)
            self._after_call = self._after_call and blank(text)
            self._sure = self._sure or "\n" in text
        self._line.add(text)
        self._buffer = text[-1]

    def _after_marker(self, rest: str, marker: str = "") -> None:
        """Behind a call, a thought or a marker around them is as good as the start of a line."""
        if marker:
            self._out.hold(marker)
        self._buffer, self._mode = "\n" + rest, TEXT
        self._line.begin()

    def _skip_marker(self, start: int, end: int) -> bool:
        """A marker that is emitted only if the calls that it belongs to are quoted."""
        marker, rest = self._buffer[start:end], self._buffer[end:]
        self._pass(start)
        self._after_marker(rest, marker if self._out.holds else "")
        return True

    def _is_silent(self, start: int) -> bool:
        return self._out.silent and blank(self._buffer[1:start])

    def _end(self) -> bool:
        self._out.settle(meant=True)
        self._out.ended = True
        return False
