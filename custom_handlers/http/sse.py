"""Bytes of an upstream answer to JSON objects, whatever the split, the line ends and the framing.

Reads server-sent events as StackSpot sends them (section 5 of the wire reference) and tolerates what was reported: CR,
LF and CRLF, comments, `[DONE]`, lines that are not JSON, a missing blank line, and plain JSON in place of a stream.
"""

import codecs
import json
import re
from typing import Any, NamedTuple

from custom_handlers.core.errors import InvalidResponseError

MAX_OBJECT_BYTES = 4 * 1024 * 1024
MAX_EVENT_LINES = 10_000
# The name given to OpenAI's end mark, which StackSpot's Agents API does not send (MIDIR, STKAI).
DONE = "[DONE]"

_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_END = re.compile(rb"\r\n|\r|\n")


class ServerSentEvent(NamedTuple):
    """One event: its SSE event name ("" when unnamed, as StackSpot's are) and the JSON object in it."""

    event: str
    data: dict[str, Any]


class SSEDecoder:
    """`decode` bytes as they come, then `flush` once. Raises InvalidResponseError for an event that is too large."""

    def __init__(self) -> None:
        self._partial: list[bytes] = []  # pieces of the line that has not ended yet
        self._held = 0
        self._after_cr = False
        self._started = False
        self._plain_json = False
        self._event = ""
        self._data: list[bytes] = []

    def decode(self, piece: bytes) -> list[ServerSentEvent]:
        if self._after_cr and piece:
            piece = piece.removeprefix(b"\n")
            self._after_cr = False
        if not piece:
            return []
        self._after_cr = piece.endswith(b"\r")
        self._held += len(piece)
        if self._held > MAX_OBJECT_BYTES:
            raise InvalidResponseError("StackSpot's answer holds an object that is too large.", final=True)
        *lines, rest = _LINE_END.split(piece)
        events: list[ServerSentEvent] = []
        for line in lines:
            events += self._line(b"".join((*self._partial, line)))
            self._partial.clear()
        if rest:
            self._partial.append(rest)
        return events

    def flush(self) -> list[ServerSentEvent]:
        events = self._line(b"".join(self._partial)) if self._partial else []
        self._partial.clear()
        return events + self._dispatch()

    def _line(self, line: bytes) -> list[ServerSentEvent]:
        if not self._started:
            line = line.removeprefix(codecs.BOM_UTF8)
            if not line.strip():
                return []
            self._started = True
            self._plain_json = line.lstrip().startswith((b"{", b"["))
        if self._plain_json:
            self._hold(line)
            return []
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._hold(value)
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        return []

    def _hold(self, line: bytes) -> None:
        self._data.append(line)
        if len(self._data) > MAX_EVENT_LINES:
            raise InvalidResponseError("StackSpot's answer holds an event of too many lines.", final=True)

    def _dispatch(self) -> list[ServerSentEvent]:
        event, data = self._event, self._data
        self._event, self._data, self._held = "", [], sum(map(len, self._partial))
        if not data:
            return []
        if data == [b"[DONE]"]:
            return [ServerSentEvent(DONE, {})]
        whole = _object(b"\n".join(data))
        bodies = [whole] if whole is not None or len(data) == 1 else [_object(line) for line in data]
        return [ServerSentEvent(event, body) for body in bodies if body is not None]


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class TextJoiner:
    """Mends text that was cut within a UTF-16 surrogate pair, as JSON escapes allow (MIDIR)."""

    def __init__(self) -> None:
        self._half = ""

    def join(self, text: str, *, last: bool = False) -> str:
        """`text` with pairs joined over calls and halves that stay alone as U+FFFD; `last` when nothing follows."""
        if not self._half and not _SURROGATE.search(text):
            return text
        text, self._half = self._half + text, ""
        if not last and "\ud800" <= text[-1:] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
