"""What the handler leaves for the proxy about the request that it works on, where LiteLLM carries nothing.

LiteLLM drops an exception's headers on two surfaces, and its failure hook learns nothing of a text completion's call.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from custom_handlers.guard.asgi_types import Message, Send


@dataclass(slots=True)
class Notes:
    """`headers` belong to an answer that is an error; `bill` is LiteLLM's usage and cost of a call that failed."""

    headers: dict[str, str] = field(default_factory=dict)
    bill: tuple[Any, float] | None = None


_notes: ContextVar[Notes | None] = ContextVar("stackspot_notes", default=None)


def begin() -> Notes:
    """Notes on the request that the current task serves, seen by all tasks that it starts."""
    notes = Notes()
    _notes.set(notes)
    return notes


def current() -> Notes | None:
    """None outside the proxy."""
    return _notes.get()


def carried(send: Send) -> Send:
    """Begins notes, and gives `send` back with their headers on an answer that is an error."""
    notes = begin()

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400 and notes.headers:
            known = {name.lower() for name, _ in message.get("headers", ())}
            added = [(name.encode(), value.encode()) for name, value in notes.headers.items()]
            headers = [*message.get("headers", ()), *(header for header in added if header[0] not in known)]
            message = {**message, "headers": headers}
        await send(message)

    return told
