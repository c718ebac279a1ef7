"""What is changed in LiteLLM's answers on their way back to the client."""

from __future__ import annotations

import json
from typing import Any

from custom_handlers.guard.asgi_types import Message, Send

# LiteLLM writes each event of a stream as one piece of the body.
_ERROR = b'data: {"error"'


def mend(surface: str, body: dict[str, Any], send: Send) -> Send:
    """A `send` that mends the answer to `body`, as it was after prepare(), on `surface`."""
    if surface not in ("chat", "completions") or body.get("stream") is not True:
        return send

    async def mended(message: Message) -> None:
        if message["type"] == "http.response.body" and message.get("body", b"").startswith(_ERROR):
            message = {**message, "body": _typed(message["body"])}
        await send(message)

    return mended


def _typed(piece: bytes) -> bytes:
    """An error event with its `type`, which LiteLLM leaves null on some paths."""
    event, end, rest = piece.partition(b"\n\n")
    try:
        told = json.loads(event.removeprefix(b"data: "))
        error = told["error"]
        if not error.get("type"):
            error["type"] = _type_of(int(error.get("code") or 500))
    except (ValueError, TypeError, KeyError, AttributeError):
        return piece
    return b"data: " + json.dumps(told).encode() + end + rest


def _type_of(status: int) -> str:
    if status == 429:
        return "throttling_error"
    return "invalid_request_error" if status < 500 else "internal_server_error"
