"""The routes of everything on one port, and the request log around them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from simulator.api import agents_api, key_api, oauth, quick_commands, uploads
from simulator.api.errors import ConnectionDroppedError, RefusedError
from simulator.control import routes
from simulator.control.faults import Faults
from simulator.state import FAULTS, RECORD, STATE, State, state_of

MOST_BODY = 64 * 1024 * 1024
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def logged(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Record the request, turn refusals into responses, and record what became of it."""
    if request.path.startswith(routes.PREFIX):
        return await handler(request)
    state = state_of(request)
    record = request[RECORD] = state.request_log.open(request)
    try:
        if not request.content_type.startswith("multipart/"):
            state.request_log.note_body(record, await request.read(), request.content_type)
        response = await handler(request)
        if not response.prepared:
            record.status, record.complete = response.status, True
            _add_headers(request, response)
        return response
    except RefusedError as refusal:
        record.status, record.complete = refusal.response.status, True
        _add_headers(request, refusal.response)
        return refusal.response
    except web.HTTPException as error:
        record.status, record.complete = error.status, True
        raise
    except ConnectionDroppedError:
        # Goes nowhere: the connection is closed already, and aiohttp wants something to write.
        return web.Response(status=500)
    except (asyncio.CancelledError, ConnectionError):
        record.client_left = not record.complete
        raise
    finally:
        record.finished = time.monotonic()


def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    faults: Faults | None = request.get(FAULTS)
    if faults is None:
        return
    response.headers.update(faults.headers or {})
    if faults.retry_after is not None and response.status in (429, 503):
        response.headers["Retry-After"] = faults.retry_after


def make_app(state: State) -> web.Application:
    """The application around `state`."""
    app = web.Application(middlewares=[logged], client_max_size=MOST_BODY)
    app[STATE] = state
    app.add_routes(
        [
            web.post("/{realm}/oidc/oauth/token", oauth.token),
            web.post("/v1/agent/{agent_id}/chat", agents_api.chat),
            web.get("/v1/models", key_api.models),
            web.post("/v1/chat/completions", key_api.completions),
            web.post("/v1/code/completions", key_api.completions),
            web.post("/v1/assistant/completions", key_api.completions),
            web.post("/v2/file-upload/form", uploads.form),
            web.post(f"{uploads.STORAGE_PATH}/{{bucket}}", uploads.store),
            web.post("/v1/quick-commands/create-execution/{slug}", quick_commands.start),
            web.get("/v1/quick-commands/callback/{execution_id}", quick_commands.poll),
            *routes.routes(),
        ]
    )
    return app
