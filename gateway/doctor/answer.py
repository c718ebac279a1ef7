"""One streamed answer of an agent, read as sections 4 to 6 of docs/stackspot-api.md tell it. Its text is not kept."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

MOST_BYTES = 1024 * 1024


@dataclass
class Answer:
    """What the wire looked like."""

    streamed: bool = False
    text: bool = False
    final: bool = False
    usage: str = ""  # the fields that hold counts
    strange: int = 0  # lines that are no JSON object, or without a text
    error: bool = False
    late: bool = False
    broken: str = ""


def read(content_type: str, pieces: Iterable[bytes], until: float) -> Answer:
    """Reads to the end, to `until` (monotonic), or to more than a short answer can need."""
    answer = Answer(streamed="event-stream" in content_type)
    kept, size = b"", 0
    for piece in pieces:
        size += len(piece)
        if time.monotonic() > until or size > MOST_BYTES:
            answer.late = True
            break
        kept += piece
        if answer.streamed:
            *lines, kept = kept.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
            for line in lines:
                _line(answer, line)
    _line(answer, kept) if answer.streamed else _object(answer, kept)
    return answer


def _line(answer: Answer, line: bytes) -> None:
    if line.startswith(b"data:"):
        data = line.removeprefix(b"data:").strip()
        if data and data != b"[DONE]":
            _object(answer, data)


def _object(answer: Answer, data: bytes) -> None:
    try:
        found: Any = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        answer.strange += 1
        return
    if found.get("type") == "error" or "error" in found:
        answer.error = True
    message = found.get("message")
    if isinstance(message, str):
        answer.text = answer.text or bool(message.strip())
    elif message is not None:
        answer.strange += 1
    if "stop_reason" in found or "tokens" in found:
        answer.final = True
        tokens = found.get("tokens")
        counted = tokens if isinstance(tokens, dict) else {}
        names = ("input", "user", "enrichment", "output")
        answer.usage = ", ".join(name for name in names if _is_count(counted.get(name)))


def _is_count(value: object) -> bool:
    return (type(value) is int and value >= 0) or (isinstance(value, str) and value.isdecimal())


class Pieces:
    """The pieces of a body, and how it ended when that was not in order."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.silent = False
        self.broken = ""

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._pieces
        except httpx.TimeoutException:
            self.silent = True
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            self.broken = type(error).__name__
