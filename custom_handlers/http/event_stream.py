"""A request whose answer is a stream of server-sent events, decoded as it arrives."""

from collections.abc import AsyncGenerator, Iterable, Iterator
from typing import Protocol

from custom_handlers.core.events import Event
from custom_handlers.http import client
from custom_handlers.http.retry import Attempts, Pause
from custom_handlers.http.sse import ServerSentEvent, SSEDecoder
from custom_handlers.http.timeouts import Deadline


class StreamDecoder(Protocol):
    """Server-sent events of one API to ours. `begun`: what has come is a sign of life; `ended`: no more comes."""

    @property
    def begun(self) -> bool: ...

    @property
    def ended(self) -> bool: ...

    def decode(self, messages: Iterable[ServerSentEvent]) -> Iterator[Event]: ...

    def flush(self) -> list[Event]: ...


async def stream_events(
    request: client.Request,
    decoder: StreamDecoder,
    deadline: Deadline,
    pause: Pause | None = None,
    attempts: Attempts | None = None,
) -> AsyncGenerator[Event]:
    """What `decoder` makes of the answer, as it arrives. Raises StackSpotError."""
    async with client.stream(request, deadline, pause, attempts) as response:
        body, sse = client.aiter_bytes(response, deadline), SSEDecoder()
        async for piece in body:
            for event in decoder.decode(sse.decode(piece)):
                yield event
            if decoder.begun:
                deadline.progress()
            if decoder.ended:
                await client.drain(body)
                break
        else:
            for event in decoder.decode(sse.flush()):
                yield event
        for event in decoder.flush():
            yield event
