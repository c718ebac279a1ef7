"""What was received, in order, and what became of it."""

from __future__ import annotations

import json
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

MOST_BYTES = 256 * 1024 * 1024


@dataclass(slots=True)
class Record:
    """One request and its outcome."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    started: float
    """Monotonic seconds, comparable with other processes of the same machine on Linux."""
    body: Any = None
    """JSON decoded, a form as an object, a multipart body as the list of its parts, else text."""
    body_bytes: int = 0
    unknown_fields: list[str] = field(default_factory=list)
    """Fields of a chat body that the reference does not list."""
    status: int | None = None
    """The status sent; None when the connection was dropped before one."""
    deltas: int = 0
    """Deltas with text that were sent."""
    answer: str | None = None
    """The text that was chosen as the answer, sent in full or not."""
    usage: dict[str, int] | None = None
    """Input and output tokens as reported to the caller; None when nothing was reported."""
    complete: bool = False
    """Whether the answer was sent to its end, as planned."""
    client_left: bool = False
    """Whether the caller closed the connection before that."""
    finished: float | None = None


class RequestLog:
    """The newest records, bounded in number and in bytes so that a long benchmark does not eat the machine."""

    def __init__(self, keep: int) -> None:
        self.records: deque[Record] = deque()
        self.dropped = 0
        self._keep = keep
        self._bytes = 0

    def clear(self) -> None:
        self.records.clear()
        self.dropped = 0
        self._bytes = 0

    def open(self, request: web.Request) -> Record:
        """A record for `request`, kept from now on."""
        record = Record(
            method=request.method,
            path=request.path,
            query=dict(request.query) if request.query_string else {},
            headers={name.lower(): value for name, value in request.headers.items()},
            started=time.monotonic(),
        )
        self.records.append(record)
        if len(self.records) > self._keep:
            self._drop()
        return record

    def note_body(self, record: Record, raw: bytes, content_type: str) -> None:
        """Keep the decoded body."""
        record.body_bytes = len(raw)
        record.body = decode(raw, content_type)
        self._bytes += len(raw)
        while self._bytes > MOST_BYTES and len(self.records) > 1:
            self._drop()

    def as_json(self) -> str:
        """All records as a JSON list. Lone surrogates are escaped, so that it is UTF-8 whatever was received."""
        return json.dumps([asdict(record) for record in self.records])

    def _drop(self) -> None:
        self._bytes -= self.records.popleft().body_bytes
        self.dropped += 1


def decode(raw: bytes, content_type: str) -> Any:
    """A body as its content type says: JSON or form decoded where it is one, else text."""
    text = raw.decode("utf-8", "replace")
    if content_type == "application/x-www-form-urlencoded":
        return dict(parse_qsl(text, keep_blank_values=True))
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
