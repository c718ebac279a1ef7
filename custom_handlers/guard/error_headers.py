"""Puts the headers that the handler has noted on an answer that is an error: LiteLLM drops them on two surfaces."""

from custom_handlers.core import notes
from custom_handlers.guard.asgi_types import Message, Send


def with_noted_headers(send: Send) -> Send:
    """Begins the notes of a request; the `send` that it returns adds their headers to an error."""
    noted = notes.begin()

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400 and noted.headers:
            known = {name.lower() for name, _ in message.get("headers", ())}
            added = [(name.encode(), value.encode()) for name, value in noted.headers.items()]
            headers = [*message.get("headers", ()), *(header for header in added if header[0] not in known)]
            message = {**message, "headers": headers}
        await send(message)

    return sent
