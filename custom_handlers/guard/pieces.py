"""What LiteLLM sends, piece by piece: each event of a stream is one piece of the body, and so is a whole answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson

from custom_handlers.guard.asgi_types import Message, Send

_DATA = b"data: "


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream of the responses surface, and what follows it in its piece."""

    data: dict[str, Any]
    rest: bytes = b""

    @property
    def kind(self) -> str:
        return str(self.data.get("type"))

    def with_data(self, **changed: Any) -> Event:
        return Event({**self.data, **changed}, self.rest)

    def written(self) -> bytes:
        return _DATA + orjson.dumps(self.data) + b"\n\n" + self.rest


def read_event(piece: bytes) -> Event | None:
    """The event that `piece` begins with, if any."""
    if not piece.startswith(_DATA):
        return None
    text, _, rest = piece.removeprefix(_DATA).partition(b"\n\n")
    data = read_object(text)
    return Event(data, rest) if data else None


def read_object(text: bytes) -> dict[str, Any] | None:
    """The JSON object that `text` is, if it is one."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def changing(send: Send, change: Callable[[bytes], Awaitable[bytes]]) -> Send:
    """A `send` that puts each piece of a body through `change`; the head waits for the first one, to fit its length."""
    head: list[Message] = []

    async def changed(message: Message) -> None:
        if message["type"] == "http.response.start":
            head.append(message)
            return
        if message["type"] == "http.response.body":
            before = message.get("body", b"")
            message = {**message, "body": await change(before)}
            if head:
                await send(_fitting(head.pop(), len(message["body"]) - len(before)))
        await send(message)

    return changed


def _fitting(head: Message, more: int) -> Message:
    """`head` of an answer that has become `more` bytes longer."""
    headers = [
        (name, str(int(value) + more).encode() if name.lower() == b"content-length" else value)
        for name, value in head.get("headers", ())
    ]
    return {**head, "headers": headers}
