"""The text of an answer while it is read: what of it is emitted, and what is still to be looked at."""

from custom_handlers.emulation.parser.lines import Line
from custom_handlers.emulation.parser.markers import SUSPECT, blank
from custom_handlers.emulation.parser.output import Output
from custom_handlers.emulation.parser.segments import Segment

TEXT, FENCE, CALL, THOUGHT = "text", "fence", "call", "thought"  # what the buffer is in
SMALL = 512  # a piece that is so short may be looked over twice


class AnswerText:
    def __init__(self, out: Output) -> None:
        self._out = out
        self._mode = TEXT
        self._buffer = "\n"  # in text and in a fence with the character before it, which is emitted already
        self._line = Line()
        self._after_call = False  # directly behind a call: nothing but space since then
        self._sure = True  # is a call sure that follows in its line
        # Is all emitted but space, and nothing open? Then pieces without a marker are emitted as they come, and looked
        # back on only when one may have a marker.
        self._flows = False
        self._run: list[str] = []

    def _stop_run(self) -> None:
        """Makes up for what was not done at each piece that was emitted as it came."""
        self._flows = False
        if self._run:
            emitted = "".join(self._run)
            self._run.clear()
            self._buffer = emitted[-1]
            self._line.add(emitted)

    def _emit_plain(self, text: str) -> list[Segment] | None:
        """Tells a piece at once in which no marker begins, or only with its last character; None if it may hold one."""
        buffer = self._buffer + text
        marker = SUSPECT.search(buffer, buffer[0] != "\n")
        end = len(buffer) if marker is None else marker.start() if marker.end() == len(buffer) else -1
        if end < 0:
            return None
        self._buffer = buffer[end - 1 if end else 0 :]
        emitted = buffer[1:end]
        if self._line.short or "\n" in emitted:
            self._line.add(emitted)
        return self._out.plain(emitted)

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
