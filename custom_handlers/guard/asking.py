"""Asks LiteLLM who sends a request, before it is given the request itself."""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson

from custom_handlers.core import notes
from custom_handlers.guard.asgi_types import App, Message, Scope
from custom_handlers.guard.rejection import RejectedError

CALLER_PATH = "/v1/responses/caller"  # in litellm_adapter/caller_route.py


@dataclass
class RefusedError(Exception):
    """LiteLLM refused the key: its answer, as it is."""

    messages: list[Message] = field(default_factory=list)


async def answer_of(app: App, scope: Scope) -> tuple[int, list[Message]]:
    """The status and the messages of what `app` answers to a request without a body."""
    messages: list[Message] = []

    async def note(message: Message) -> None:
        messages.append(message)

    arriving: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        return arriving.pop() if arriving else {"type": "http.disconnect"}

    await app(scope, receive, note)
    return next((message["status"] for message in messages if message["type"] == "http.response.start"), 500), messages


async def caller(app: App, scope: Scope) -> str:
    """LiteLLM's name of the key that `scope`, a request to the caller's route, brings.

    Raises RefusedError, and RejectedError for a key that stands for nobody.
    """
    status, messages = await answer_of(app, scope)
    if status != 200:
        raise RefusedError(messages)
    name = str(orjson.loads(b"".join(message.get("body", b"") for message in messages)))
    if name == notes.UNNAMED:
        raise RejectedError(401, "Answers are kept for keys, and this request has none.", code="unauthorized")
    return name
