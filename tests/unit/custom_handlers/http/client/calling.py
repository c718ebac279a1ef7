"""One call of the client, to its end; and a server that answers it."""

import pytest
from aiohttp import web

from custom_handlers.core.errors import StackSpotError
from custom_handlers.http.client import Request, aiter_bytes, stream
from custom_handlers.http.retry import Attempts, Pause
from custom_handlers.http.timeouts import Deadline, Timeouts

PATH = "chat/completions"
PATIENT = Timeouts(first_byte=60, idle=60, total=60)


async def answer(
    request: Request, limits: Timeouts = PATIENT, pause: Pause | None = None, attempts: Attempts | None = None
) -> bytes:
    """The whole body, with every piece a sign of life."""
    deadline = Deadline(limits)
    body = b""
    async with stream(request, deadline, pause, attempts) as response:
        async for piece in aiter_bytes(response, deadline):
            deadline.progress()
            body += piece
    return body


async def failure(
    request: Request, limits: Timeouts = PATIENT, pause: Pause | None = None, attempts: Attempts | None = None
) -> StackSpotError:
    with pytest.raises(StackSpotError) as caught:
        await answer(request, limits, pause, attempts)
    return caught.value


async def hello(request: web.Request) -> web.StreamResponse:
    return web.json_response({"message": "Hi"})
