"""Stands between a client and the gateway and keeps what the client sends."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from typing import Any

import aiohttp
from aiohttp import web

from tests.harness import free_port

_HOP_BY_HOP = ("host", "content-length", "transfer-encoding", "connection")


class Tap:
    """`url` is for the client; `requests` is what it sent so far."""

    def __init__(self, gateway: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.requests: list[dict[str, Any]] = []
        self._gateway = gateway

    async def forward(self, request: web.Request) -> web.StreamResponse:
        """Pass one request on, and its answer back as it comes."""
        body = await request.read()
        if request.method == "POST" and body:
            recorded = {"path": request.path_qs, "headers": dict(request.headers), "body": json.loads(body)}
            self.requests.append(recorded)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(request.method, self._gateway + request.path_qs, data=body, headers=headers) as answer,
        ):
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
            response = web.StreamResponse(status=answer.status, headers=kept)
            await response.prepare(request)
            with contextlib.suppress(ConnectionError):  # a client need not wait for the end
                async for piece in answer.content.iter_any():
                    await response.write(piece)
                await response.write_eof()
            return response


@contextlib.contextmanager
def tapped(gateway: str) -> Iterator[Tap]:
    """A tap before `gateway`, in a thread of its own."""
    tap, loop, ready = Tap(gateway), asyncio.new_event_loop(), threading.Event()

    async def serve() -> web.AppRunner:
        app = web.Application(client_max_size=100_000_000)
        app.router.add_route("*", "/{path:.*}", tap.forward)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", tap.port).start()
        return runner

    def run() -> None:
        runner = loop.run_until_complete(serve())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    if not ready.wait(30):
        raise TimeoutError("the tap did not start")
    try:
        yield tap
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(30)
