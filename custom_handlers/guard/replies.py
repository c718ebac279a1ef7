"""What is changed in LiteLLM's answers on their way back to the client."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from custom_handlers.core import matched_stop
from custom_handlers.guard import call_events, pieces
from custom_handlers.guard.asgi_types import Send

_ERROR = b'data: {"error"'
_MESSAGE_DELTA = b"event: message_delta\n"


def mend(surface: str, body: dict[str, Any], send: Send) -> Send:
    """A `send` that mends the answer to `body`, as it was after prepare(), on `surface`."""
    streamed = body.get("stream") is True
    if surface in ("chat", "completions") and streamed:
        return changed(send, lambda piece: _typed(piece) if piece.startswith(_ERROR) else piece)
    if surface == "responses" and streamed:
        return changed(send, call_events.CallEvents().feed)
    if surface == "messages" and body.get("stop_sequences"):
        matched = matched_stop.listen()
        return changed(send, lambda piece: _stopped(piece, matched, streamed=streamed))
    return send


def changed(send: Send, change: Callable[[bytes], bytes]) -> Send:
    """A `send` that puts each piece of a body through `change`."""

    async def through(piece: bytes) -> bytes:
        return change(piece)

    return pieces.changing(send, through)


def _typed(piece: bytes) -> bytes:
    """An error event with its `type`, which LiteLLM leaves null on some paths."""
    event, end, rest = piece.partition(b"\n\n")
    try:
        event_data = json.loads(event.removeprefix(b"data: "))
        error = event_data["error"]
        if not error.get("type"):
            error["type"] = _type_of(int(error.get("code") or 500))
    except (ValueError, TypeError, KeyError, AttributeError):
        return piece
    return b"data: " + json.dumps(event_data).encode() + end + rest


def _type_of(status: int) -> str:
    if status == 429:
        return "throttling_error"
    return "invalid_request_error" if status < 500 else "internal_server_error"


def _stopped(piece: bytes, matched: list[str], *, streamed: bool) -> bytes:
    """An answer that a stop sequence ended, or its event, in Anthropic's words: LiteLLM says `end_turn`."""
    if not matched or not (piece.startswith(_MESSAGE_DELTA) if streamed else piece.startswith(b"{")):
        return piece
    before, mark, data = piece.partition(b"data: ") if streamed else (b"", b"", piece)
    data, end, rest = data.partition(b"\n\n") if streamed else (data, b"", b"")
    try:
        answer = json.loads(data)
        place = answer["delta"] if streamed else answer
        if place["stop_reason"] != "end_turn":
            return piece
        place |= {"stop_reason": "stop_sequence", "stop_sequence": matched[-1]}
    except (ValueError, TypeError, KeyError):
        return piece
    return before + mark + json.dumps(answer).encode() + end + rest
