"""How the guard answers by itself."""

from __future__ import annotations

import asyncio
import json

from custom_handlers.guard import headers
from custom_handlers.guard.asgi_types import Message, Receive, Scope, Send

PATIENCE_SECONDS = 0.05  # for the rest of a body that is on its way, so that the connection can be used again
LINGER_SECONDS = 10.0


class Incoming:
    """A `receive` that knows whether the request has ended."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.ended = False

    async def __call__(self) -> Message:
        message = await self._receive()
        self.ended = self.ended or not message.get("more_body", False)
        return message


class Outgoing:
    """A `send` that mends the headers, and knows whether the answer has ended."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.ended = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": headers.of_answer(message.get("headers", []))}
        await self._send(message)
        self.ended = message["type"] == "http.response.body" and not message.get("more_body", False)


async def answer(incoming: Incoming, send: Send, status: int, body: bytes, more: headers.Headers | None = None) -> None:
    """The whole answer at once, with the headers `more`.

    A client that is still sending often looks for the answer only afterwards, and loses it when the connection closes
    first: what it sends is read for a while, and kept nowhere.
    """
    await _read_on(incoming, PATIENCE_SECONDS)
    about = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *(more or ())]
    if not incoming.ended:
        about.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": about})
    lingers = not incoming.ended
    await send({"type": "http.response.body", "body": body, "more_body": lingers})
    if lingers:
        await _read_on(incoming, LINGER_SECONDS)
        await send({"type": "http.response.body", "body": b""})


async def _read_on(incoming: Incoming, seconds: float) -> None:
    """Reads what comes, and forgets it."""
    try:
        async with asyncio.timeout(seconds):
            while not incoming.ended:
                await incoming()
    except TimeoutError:
        pass


async def close_websocket(scope: Scope, receive: Receive, send: Send) -> None:
    """No surface of this gateway speaks WebSocket: a 404 in place of the handshake, where the server can say so."""
    await receive()
    if "websocket.http.response" in scope.get("extensions", {}):
        error = {"message": "This gateway has no WebSocket: use HTTP.", "type": "invalid_request_error"}
        body = json.dumps({"error": {**error, "param": None, "code": "not_found"}}).encode()
        about = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "websocket.http.response.start", "status": 404, "headers": about})
        await send({"type": "websocket.http.response.body", "body": body})
        return
    await send({"type": "websocket.close", "code": 1008, "reason": "This gateway has no WebSocket: use HTTP."})
