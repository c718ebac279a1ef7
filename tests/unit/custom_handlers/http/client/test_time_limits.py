"""How long a call may take, be silent, and wait between its tries."""

import asyncio
import time
from contextlib import suppress
from typing import Any

import pytest
from aiohttp import web

from custom_handlers.core.errors import (
    BadGatewayError,
    CallerTimeoutError,
    RateLimitError,
    ServiceUnavailableError,
    UpstreamTimeoutError,
)
from custom_handlers.http import client, retry
from custom_handlers.http.client import Request, aiter_bytes, stream
from custom_handlers.http.retry import Attempts, Pause
from custom_handlers.http.timeouts import LEAST_SECONDS, Deadline, Timeouts
from simulator.client import Simulator
from tests.unit.custom_handlers.http.client.calling import PATH, answer, failure
from tests.unit.custom_handlers.serving import serving, speaking


@pytest.mark.parametrize("faults", [{"header_delay": 50}, {"first_byte_delay": 50}, {"stall_after": 0}])
async def test_the_first_byte(simulator: Simulator, chat: Request, faults: dict[str, Any]) -> None:
    simulator.faults(**faults, target="key")
    error = await failure(chat, Timeouts(first_byte=0.3, idle=60, total=60))
    assert type(error) is UpstreamTimeoutError
    assert "0.3 s" in error.message
    (request,) = await asyncio.to_thread(simulator.wait_for, lambda r: r[0]["client_left"], PATH)
    assert request["finished"] - request["started"] < 40


async def test_a_trickle_of_headers_does_not_count_as_a_first_byte() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(1000):
            writer.write(f"X-{number}: x\r\n".encode())
            await writer.drain()
            await asyncio.sleep(0.05)

    async with speaking(trickle) as url:
        error = await failure(Request(url, json={}), Timeouts(first_byte=0.4, idle=60, total=60))
    assert type(error) is UpstreamTimeoutError


async def test_silence_in_the_middle(simulator: Simulator, chat: Request) -> None:
    simulator.faults(stall_after=2, target="key")
    error = await failure(chat, Timeouts(first_byte=60, idle=0.3, total=60))
    assert type(error) is UpstreamTimeoutError
    assert "0.3 s" in error.message
    await asyncio.to_thread(simulator.wait_for, lambda requests: requests[0]["client_left"], PATH)


async def test_short_pauses_are_no_silence(simulator: Simulator, chat: Request) -> None:
    simulator.answer("one two three four five six", agent="key")
    simulator.faults(delta_delay=0.3, target="key")
    assert b"six" in await answer(chat, Timeouts(first_byte=60, idle=10, total=60))


async def test_the_time_a_caller_takes_is_not_stackspots_silence(simulator: Simulator, chat: Request) -> None:
    simulator.answer("one two three four", agent="key")
    simulator.faults(delta_delay=0.2, target="key")
    deadline = Deadline(Timeouts(first_byte=60, idle=1.5, total=60))
    body = b""
    async with stream(chat, deadline) as response:
        async for piece in aiter_bytes(response, deadline):
            deadline.progress()
            if not body:
                time.sleep(2)  # noqa: ASYNC251 - the caller does something else, and its event loop stands still
            body += piece
    assert b"four" in body


async def test_the_whole_call(simulator: Simulator, chat: Request) -> None:
    simulator.answer("word " * 500, agent="key")
    simulator.faults(delta_delay=0.05, target="key")
    error = await failure(chat, Timeouts(first_byte=60, idle=60, total=0.5))
    assert type(error) is CallerTimeoutError
    assert "0.5 s" in error.message
    (request,) = await asyncio.to_thread(simulator.wait_for, lambda r: r[0]["client_left"], PATH)
    assert 0 < request["deltas"] < 400


async def test_the_whole_call_before_the_first_byte(simulator: Simulator, chat: Request) -> None:
    simulator.faults(header_delay=50, target="key")
    assert type(await failure(chat, Timeouts(first_byte=60, idle=60, total=0.3))) is CallerTimeoutError


async def test_retries_stay_within_the_call(simulator: Simulator, chat: Request) -> None:
    simulator.faults(status=503, target="key")
    assert (
        type(await failure(chat, Timeouts(total=0.5))) is ServiceUnavailableError
    )  # the first delay is longer than that
    assert len(simulator.requests(PATH)) == 1


@pytest.mark.usefixtures("quick")
async def test_a_try_is_not_begun_with_hardly_any_time_left(simulator: Simulator, chat: Request) -> None:
    simulator.faults(status=503, target="key")
    error = await failure(chat, Timeouts(first_byte=LEAST_SECONDS, idle=60, total=60))
    assert type(error) is ServiceUnavailableError
    assert len(simulator.requests(PATH)) == 1


async def test_a_machine_that_stands_still_between_two_tries(
    simulator: Simulator, chat: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has failed is told: StackSpot was not asked again, and so it was not silent."""
    monkeypatch.setattr(retry, "RETRY_DELAYS", (0.4, 0.4, 0.4))
    simulator.faults(status=503, target="key")
    attempts = Attempts()
    task = asyncio.create_task(failure(chat, Timeouts(first_byte=3, idle=60, total=60), attempts=attempts))
    await asyncio.to_thread(simulator.wait_for, lambda requests: any(r["finished"] for r in requests), PATH)
    await asyncio.sleep(0.1)
    time.sleep(3)  # noqa: ASYNC251 - the event loop stands still
    assert type(await task) is ServiceUnavailableError
    assert len(simulator.requests(PATH)) == 1
    assert (attempts.asked, type(attempts.failed)) == (False, ServiceUnavailableError)


@pytest.mark.usefixtures("quick")
async def test_a_try_that_stackspot_has_is_silence_whatever_failed_before(simulator: Simulator, chat: Request) -> None:
    simulator.faults({"status": 503, "times": 1}, {"header_delay": 50}, target="key")
    attempts = Attempts()
    error = await failure(chat, Timeouts(first_byte=3, idle=60, total=60), attempts=attempts)
    assert type(error) is UpstreamTimeoutError
    assert attempts.asked, "it may have been answered, and paid for"


async def test_a_connection_that_is_not_made_in_time_is_told_as_that() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    attempts = Attempts()
    async with speaking(hang) as url:
        limits = Timeouts(first_byte=1, idle=60, total=60)
        error = await failure(Request(url.replace("http:", "https:"), json={}), limits, attempts=attempts)
    assert type(error) is BadGatewayError
    assert "could not be reached" in error.message
    assert not attempts.asked


async def test_a_pause_that_takes_all_the_time_is_the_accounts_limit(
    simulator: Simulator, chat: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_handlers.http.retry.random.uniform", lambda low, high: high)
    pause = Pause()
    pause.extend(0.4)
    assert type(await failure(chat, Timeouts(first_byte=0.5, idle=60, total=60), pause)) is RateLimitError
    assert simulator.requests(PATH) == []


@pytest.mark.usefixtures("quick")
async def test_an_error_whose_body_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "CONNECT_SECONDS", 0.2)

    async def refuse(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=503)
        await response.prepare(request)
        with suppress(ConnectionError):
            for _ in range(100_000):
                await response.write(b"x" * (100_000 if "endless" in request.path else 1))
                await asyncio.sleep(0 if "endless" in request.path else 0.05)
        return response

    async with serving(refuse) as server:
        for path in ("endless", "slow"):
            assert type(await failure(Request(f"{server.url}/{path}", json={}))) is ServiceUnavailableError
        assert len(server.sources) == 8
