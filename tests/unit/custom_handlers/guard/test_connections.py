"""Connections without a request, on uvicorn itself; and how many there may be."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from custom_handlers.guard import connections
from tests.harness import ROOT

SOON = 0.4
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
HANGS = 20.0


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Takes longer than a connection may be silent."""
    await asyncio.sleep(3 * SOON)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    # Longer than anything here, so that it is not uvicorn that closes.
    config = uvicorn.Config(app, port=0, lifespan="off", log_config=None, timeout_keep_alive=600)
    config.load()
    connections.close_silent(SOON)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running
    connections.close_silent()


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost:"], ids=["nothing", "half a head"])
async def test_a_connection_without_a_request_is_closed(port: int, sent: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    assert await asyncio.wait_for(reader.read(), HANGS) == b""
    writer.close()


async def test_so_is_one_that_sends_its_head_byte_by_byte(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def drip() -> None:
        while True:
            writer.write(b"x")
            await asyncio.sleep(SOON / 10)

    dripping = asyncio.create_task(drip())
    assert await asyncio.wait_for(reader.read(), HANGS) == b""
    dripping.cancel()
    writer.close()


async def test_an_answer_under_way_is_waited_for_and_the_next_request_too(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(HEAD + b"\r\n")
        assert (await asyncio.wait_for(reader.readuntil(b"ok"), HANGS)).startswith(b"HTTP/1.1 200")
    writer.write(HEAD)
    assert await asyncio.wait_for(reader.read(), HANGS) == b"", "the third one never comes"
    writer.close()


async def test_one_that_idles_between_two_requests_is_left_to_uvicorn(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(HEAD + b"\r\n")
        assert (await asyncio.wait_for(reader.readuntil(b"ok"), HANGS)).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(4 * SOON)
    writer.close()


def test_as_many_files_as_the_user_may_have() -> None:
    program = "import resource as r; m = r.getrlimit(r.RLIMIT_NOFILE)[1]; r.setrlimit(r.RLIMIT_NOFILE, (200, m))\n"
    program += "from custom_handlers.guard.connections import allow_many; allow_many()\n"
    program += "print(r.getrlimit(r.RLIMIT_NOFILE) == (m, m))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
