"""Puts what the handler has noted on an answer's head: LiteLLM drops an error's headers on two surfaces."""

from custom_handlers.core import notes
from custom_handlers.guard.asgi_types import Message, Send

QUEUED = "x-stackspot-queue-seconds"


def with_noted_headers(send: Send, noted: notes.Notes) -> Send:
    """A `send` that adds the headers that were noted to an error, and to every answer how long it has waited for its
    turn.
    """

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = {name.lower() for name, _ in message.get("headers", ())}
            told = dict(noted.headers) if message["status"] >= 400 else {}
            if noted.queued is not None:
                told[QUEUED] = f"{noted.queued:.1f}"
            added = [(name.encode(), value.encode()) for name, value in told.items()]
            headers = [*message.get("headers", ()), *(header for header in added if header[0] not in known)]
            message = {**message, "headers": headers}
        await send(message)

    return sent
