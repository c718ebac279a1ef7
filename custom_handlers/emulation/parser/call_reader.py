"""Calls, from the marker that begins one to what becomes of it."""

import re

from custom_handlers.emulation.parser.answer_text import CALL, TEXT
from custom_handlers.emulation.parser.fence_reader import FenceReader
from custom_handlers.emulation.parser.markers import blank
from custom_handlers.emulation.parser.open_call import MOST_PROSE, OpenCall, OpenString
from custom_handlers.emulation.parser.output import Output
from custom_handlers.emulation.tools import ToolConfig

_AT_LAST_BRACKET = {"mistral", "plain", "xml"}


class CallReader(FenceReader):
    def __init__(self, out: Output, tool_config: ToolConfig | None) -> None:
        super().__init__(out)
        self._tool_config = tool_config
        self._call: OpenCall | None = None
        self._string: OpenString | None = None  # that the call is in, while all that has come is in it
        self._misquoted = False
        self._left = ""  # behind a call whose quotes hid its end

    def _open(self, kind: str, marker: re.Match[str], start: int, *, sure: bool) -> bool:
        assert self._tool_config is not None
        body = start if kind in ("bare", "python") else marker.end() - (kind in _AT_LAST_BRACKET)
        raw, rest = self._buffer[start:body], self._buffer[body:]
        self._pass(start)
        self._call = OpenCall(kind, raw, self._tool_config, sure=sure, literal=self._misquoted)
        self._buffer, self._mode = rest, CALL
        return True

    def _enter_string(self) -> None:
        self._string = self._call.string if self._call and not self._buffer else None

    def _leave_string(self) -> str:
        """What has come of the string, and is in none of its pieces yet."""
        left, self._string = self._string.half if self._string else "", None
        return left

    def _in_call(self, last: bool) -> bool:
        call = self._call
        assert call is not None
        if not call.decide(self._buffer, last=last):
            return False
        if call.prose and not call.sure:
            return self._quote(call.marker, call.text + self._buffer)
        end, behind = call.take(self._buffer, last=last)
        marker = "" if behind is None else self._buffer[end:behind]
        self._buffer = self._buffer[end if behind is None else behind :]
        if behind is not None:
            return self._close(call, marker, closed=True)
        if call.prose and (last or call.size > MOST_PROSE):
            return self._quote(call.marker, call.text + self._buffer)
        return last and self._close(call, "", closed=False)

    def _close(self, call: OpenCall, marker: str, *, closed: bool) -> bool:
        if closed and not marker and call.kind == "tag" and blank(call.text):  # a tag around the calls that follow
            self._after_marker(self._buffer, call.marker + call.text)
            self._after_call, self._sure = True, call.sure
            return True
        reading = call.read(marker, closed=closed)
        if not closed and (reading is None or reading.problem) and (hidden := call.cut_short()):
            self._misquoted = True  # from here on quotes hide no end marker: each would be read to the end again
            marker, self._left, self._buffer = hidden[0], hidden[1] + self._buffer, ""
            reading = call.read(marker, closed=True)
        if reading is None:
            return self._quote(f"{call.marker}{call.text}{marker}", self._buffer)
        self._after_marker(self._buffer)
        self._out.call(reading)
        self._after_call, self._sure = True, reading.sure
        return True

    def _quote(self, raw: str, rest: str) -> bool:
        """What seemed to be a call is text, and `rest` goes on behind it."""
        self._mode, self._call = TEXT, None
        if self._wrapped:
            self._buffer = f"\n{raw}{rest}"
            self._unwrap()
        else:
            self._emit(raw)
            self._buffer += rest
        return True
