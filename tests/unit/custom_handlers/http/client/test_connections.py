"""Connections: used again, and closed when nobody waits for the answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from aiohttp import web

from custom_handlers.core.errors import BadRequestError
from custom_handlers.http import client
from custom_handlers.http.client import Request, aiter_bytes, stream
from custom_handlers.http.timeouts import Deadline
from simulator.client import Simulator
from tests.unit.custom_handlers.http.client.calling import PATH, PATIENT, answer, hello
from tests.unit.custom_handlers.serving import serving


async def streamed(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(3):
        await response.write(b"data: {}\n\n")
        await asyncio.sleep(0.01)
    return response


async def refused(request: web.Request) -> web.StreamResponse:
    return web.json_response({"code": "X"}, status=400)


@pytest.mark.parametrize("handler", [hello, streamed, refused])
async def test_connections_are_used_again(handler: Any) -> None:
    async with serving(handler) as server:
        for _ in range(5):
            with suppress(BadRequestError):
                await answer(Request(server.url, json={}))
        assert len(server.sources) == 5
        assert len(set(server.sources)) == 1


async def test_a_connection_is_used_again_although_the_reader_stopped_at_the_last_object() -> None:
    async with serving(streamed) as server:
        for _ in range(5):
            deadline = Deadline(PATIENT)
            async with stream(Request(server.url, json={}), deadline) as response:
                body = aiter_bytes(response, deadline)
                for _ in range(3):
                    await anext(body, b"")
                await client.drain(body)
        assert len(set(server.sources)) == 1


async def test_draining_does_not_wait_for_long(simulator: Simulator, chat: Request) -> None:
    simulator.faults(stall_after=1, target="key")
    deadline = Deadline(PATIENT)
    async with stream(chat, deadline) as response:
        body = aiter_bytes(response, deadline)
        await anext(body)
        await asyncio.wait_for(client.drain(body), 30)
    await asyncio.to_thread(simulator.wait_for, lambda requests: requests[0]["client_left"], PATH)


async def test_one_connection_for_each_call_at_a_time() -> None:
    async with serving(streamed) as server:
        for _ in range(3):
            await asyncio.gather(*(answer(Request(server.url, json={})) for _ in range(8)))
        assert len(set(server.sources)) <= 8


async def some(request: Request) -> AsyncIterator[bytes]:
    deadline = Deadline(PATIENT)
    async with stream(request, deadline) as response:
        async for piece in aiter_bytes(response, deadline):
            yield piece


async def test_the_connection_is_closed_when_the_caller_stops_reading(simulator: Simulator, chat: Request) -> None:
    simulator.faults(stall_after=1, target="key")
    body = some(chat)
    await anext(body)
    await body.aclose()  # type: ignore[attr-defined]
    await asyncio.to_thread(simulator.wait_for, lambda requests: requests[0]["client_left"], PATH)


@pytest.mark.parametrize("faults", [{"header_delay": 50}, {"first_byte_delay": 50}, {"stall_after": 1}])
async def test_the_connection_is_closed_when_the_caller_goes_away(
    simulator: Simulator, chat: Request, faults: dict[str, Any]
) -> None:
    simulator.faults(**faults, target="key")
    task = asyncio.create_task(answer(chat))
    await asyncio.to_thread(simulator.wait_for, lambda requests: len(requests) > 0, PATH)
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (request,) = await asyncio.to_thread(simulator.wait_for, lambda r: r[0]["client_left"], PATH)
    assert not request["complete"]


@pytest.mark.usefixtures("quick")
async def test_a_caller_who_goes_away_is_not_tried_for_again(simulator: Simulator, chat: Request) -> None:
    simulator.faults(status=503, retry_after="50", target="key")
    task = asyncio.create_task(answer(chat))
    await asyncio.to_thread(simulator.wait_for, lambda requests: any(r["finished"] for r in requests), PATH)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(simulator.requests(PATH)) == 1


async def test_a_whole_answer_is_unharmed_by_how_it_is_cut(simulator: Simulator, chat: Request) -> None:
    simulator.faults(cut_bytes=1, line_end="cr", target="key")
    assert (await answer(chat)).endswith(b"data: [DONE]\r\r")


def test_several_event_loops_one_after_the_other(simulator: Simulator, chat: Request) -> None:
    for _ in range(3):
        assert b"Hello" in asyncio.run(answer(chat))


def test_a_request_does_not_show_its_credentials() -> None:
    shown = repr(Request("https://x", {"Authorization": "Bearer s3cret"}, json={"a": "s3cret"}, form={"b": "s3cret"}))
    assert "s3cret" not in shown
