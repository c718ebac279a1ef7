"""The guard itself: an ASGI app around LiteLLM's, which sees a request before anything of LiteLLM does."""

from __future__ import annotations

import json
from typing import Any

from custom_handlers.guard import chat, completions, messages, replies, responses
from custom_handlers.guard.asgi_types import App, Message, Receive, Scope, Send
from custom_handlers.guard.refusal import Refusal

PREPARE = {
    "chat": chat.prepare,
    "completions": completions.prepare,
    "messages": messages.prepare,
    "responses": responses.prepare,
}
_PATHS = {
    "/v1/chat/completions": "chat",
    "/v1/completions": "completions",
    "/v1/messages": "messages",
    "/v1/responses": "responses",
}


class Guard:
    """Prepares the requests to the four surfaces; refuses what may not pass."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        surface = _PATHS.get(scope.get("path", "")) if scope["type"] == "http" and scope["method"] == "POST" else None
        if surface is None:
            await self._app(scope, receive, send)
            return
        try:
            body = _parsed(await _whole_body(receive))
            PREPARE[surface](body)
        except Refusal as refusal:
            await _answer(send, refusal.status, refusal.body(surface))
            return
        encoded = json.dumps(body).encode()
        scope = {**scope, "headers": _with_length(scope["headers"], len(encoded))}
        await self._app(scope, _replayed(encoded, receive), replies.mend(surface, body, send))


async def _whole_body(receive: Receive) -> bytes:
    chunks, more = [], True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError:
        raise Refusal(400, "The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise Refusal(400, "The body must be a JSON object.")
    return body


def _with_length(headers: list[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    return [*(h for h in headers if h[0] != b"content-length"), (b"content-length", str(length).encode())]


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body once, then what the client does: a disconnect has to arrive."""
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
