"""How the guard answers by itself."""

from __future__ import annotations

import asyncio
import json

from custom_handlers.guard.asgi_types import Message, Receive, Scope, Send

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


async def answer(incoming: Incoming, send: Send, status: int, body: bytes) -> None:
    """The whole answer at once.

    A client that is still sending often looks for the answer only afterwards, and loses it when the connection closes
    first: what it sends is read for a while, and kept nowhere.
    """
    about = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if not incoming.ended:
        about.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": about})
    await send({"type": "http.response.body", "body": body, "more_body": not incoming.ended})
    if not incoming.ended:
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while not incoming.ended:
                    await incoming()
        except TimeoutError:
            pass
        await send({"type": "http.response.body", "body": b""})


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
