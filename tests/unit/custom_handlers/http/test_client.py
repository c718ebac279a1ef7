"""What carries requests: retries, time limits, redirects, TLS, the pool, and the end of a call that nobody waits for.

All over real sockets. Times are bounded from below where waiting is the point, and from above only against hanging.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from custom_handlers.core.errors import (
    AuthenticationError,
    BadGatewayError,
    BadRequestError,
    CallerTimeoutError,
    InvalidResponseError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
    StackSpotError,
    UpstreamTimeoutError,
)
from custom_handlers.http import client, retry
from custom_handlers.http.client import Request, aiter_bytes, stream
from custom_handlers.http.retry import Attempts, Pause, retry_delay
from custom_handlers.http.timeouts import LEAST_SECONDS, Deadline, Timeouts
from simulator.client import Simulator
from tests.harness import Account, free_port
from tests.unit.custom_handlers.serving import self_signed, serving, speaking

PATH = "chat/completions"
PATIENT = Timeouts(first_byte=60, idle=60, total=60)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without much waiting."""
    monkeypatch.setattr(retry, "RETRY_DELAYS", (0.01, 0.02, 0.04))


@pytest.fixture
def chat(simulator: Simulator, account: Account) -> Request:
    """A streamed call of the key API, which needs no token."""
    body = {"model": "stackspot-ai-chat", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    return Request(f"{simulator.url}/v1/{PATH}", {"Authorization": f"Bearer {account.api_key}"}, json=body)


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


# Whether to try again


@given(
    st.sampled_from(
        [
            ServiceUnavailableError("no"),
            RateLimitError("no", retry_after=3.0),
            BadRequestError("no"),
            BadGatewayError("no"),
        ]
    ),
    st.integers(0, 5),
    st.floats(0, 100),
    st.floats(0, 1),
)
def test_the_decision(error: StackSpotError, attempt: int, remaining: float, jitter: float) -> None:
    delay = retry_delay(error, attempt, remaining, jitter)
    if not error.retryable or attempt > 2:
        assert delay is None
        return
    usual = [1.0, 2.0, 4.0][attempt]
    if delay is None:
        assert remaining - LEAST_SECONDS <= max(usual * 1.25, error.retry_after or 0)
    else:
        assert max(usual * 0.75, error.retry_after or 0) <= delay <= max(usual * 1.25, error.retry_after or 0)
        assert delay < remaining - LEAST_SECONDS


def test_the_delays_grow_and_are_spread() -> None:
    error = ServiceUnavailableError("no")
    for attempt, usual in enumerate([1.0, 2.0, 4.0]):
        assert [retry_delay(error, attempt, 60, jitter) for jitter in (0, 0.5, 1)] == [
            usual * s for s in (0.75, 1, 1.25)
        ]
    assert retry_delay(error, 3, 60, 0) is None


def test_a_retry_after_that_leaves_no_time_for_a_try_ends_the_call() -> None:
    error = RateLimitError("no", retry_after=30)
    assert retry_delay(error, 0, 30 + LEAST_SECONDS, 0) is None
    assert retry_delay(error, 0, 31 + LEAST_SECONDS, 0) == 30


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
async def test_what_is_tried_again(simulator: Simulator, chat: Request, status: int) -> None:
    simulator.faults(status=status, times=3, target="key")
    assert b"Hello" in await answer(chat)
    requests = simulator.requests(PATH)
    assert [request["status"] for request in requests] == [status] * 3 + [200]
    assert all(request["body"] == chat.json for request in requests)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("how", ["close", "reset"])
async def test_a_connection_that_breaks_before_the_answer_is_tried_again(
    simulator: Simulator, chat: Request, how: str
) -> None:
    simulator.faults(disconnect=how, times=2, target="key")
    assert b"Hello" in await answer(chat)
    assert len(simulator.requests(PATH)) == 3


async def test_a_connection_that_cannot_be_made_is_tried_again(
    simulator: Simulator, chat: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "RETRY_DELAYS", (0.2, 2.0, 4.0))
    simulator.outage(1.0)
    assert b"Hello" in await answer(chat)
    assert len(simulator.requests(PATH)) == 1


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("faults", "kind"),
    [
        ({"status": 429}, RateLimitError),
        ({"status": 503}, ServiceUnavailableError),
        ({"status": 504}, UpstreamTimeoutError),
        ({"html": True}, BadGatewayError),
        ({"disconnect": "close"}, BadGatewayError),
    ],
)
async def test_four_attempts_and_no_more(
    simulator: Simulator, chat: Request, faults: dict[str, Any], kind: type[StackSpotError]
) -> None:
    simulator.faults(**faults, target="key")
    assert type(await failure(chat)) is kind
    assert len(simulator.requests(PATH)) == 4


@pytest.mark.usefixtures("quick")
async def test_all_questions_of_a_call_share_its_attempts(simulator: Simulator, chat: Request) -> None:
    attempts = Attempts()
    simulator.faults({"status": 503, "times": 2}, target="key")
    async with stream(chat, Deadline(Timeouts()), attempts=attempts):
        assert (attempts.left, attempts.asked) == (1, True)
    simulator.faults(status=503, target="key")
    with pytest.raises(ServiceUnavailableError):
        async with stream(chat, Deadline(Timeouts()), attempts=attempts):
            raise AssertionError("no answer")
    assert (attempts.left, attempts.asked) == (0, False)
    assert len(simulator.requests(PATH)) == 4


@pytest.mark.usefixtures("quick")
async def test_an_address_where_nobody_listens() -> None:
    port = free_port()
    error = await failure(Request(f"http://127.0.0.1:{port}/secret", json={}))
    assert type(error) is BadGatewayError
    assert str(port) not in error.message
    assert "secret" not in error.message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (304, BadGatewayError),
        (400, BadRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, PermissionDeniedError),
        (418, BadGatewayError),
        (422, BadRequestError),
    ],
)
async def test_what_is_not_tried_again(
    simulator: Simulator, chat: Request, status: int, kind: type[StackSpotError]
) -> None:
    simulator.faults(status=status, body="", target="key")
    assert type(await failure(chat)) is kind
    assert len(simulator.requests(PATH)) == 1


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("count", [0, 1, 5])
async def test_nothing_is_tried_again_once_the_answer_has_begun(
    simulator: Simulator, chat: Request, count: int
) -> None:
    simulator.faults(break_after=count, target="key")
    assert type(await failure(chat)) is InvalidResponseError
    assert len(simulator.requests(PATH)) == 1


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("status", [429, 503])
async def test_a_retry_after_is_waited_for(simulator: Simulator, chat: Request, status: int) -> None:
    simulator.faults(status=status, retry_after="1", times=1, target="key")
    assert b"Hello" in await answer(chat)
    first, second = simulator.requests(PATH)
    assert second["started"] - first["finished"] >= 1.0


@pytest.mark.usefixtures("quick")
async def test_a_retry_after_that_the_call_cannot_wait_for_ends_it_at_once(simulator: Simulator, chat: Request) -> None:
    simulator.faults(status=429, retry_after="3000", target="key")
    began = time.monotonic()
    assert (await failure(chat)).retry_after == 3000
    assert time.monotonic() - began < 30
    assert len(simulator.requests(PATH)) == 1


@pytest.mark.usefixtures("quick")
async def test_a_429_holds_for_all_calls_of_the_account(simulator: Simulator, chat: Request) -> None:
    pause = Pause()
    simulator.faults(status=429, retry_after="1", times=1, target="key")
    first = asyncio.create_task(answer(chat, pause=pause))
    await asyncio.to_thread(simulator.wait_for, lambda requests: any(r["finished"] for r in requests), PATH)
    others = [asyncio.create_task(answer(chat, pause=pause)) for _ in range(3)]
    await asyncio.gather(first, *others)
    refused, *served = simulator.requests(PATH)
    assert len(served) == 4
    assert all(request["started"] - refused["finished"] >= 0.95 for request in served)


async def test_a_pause_longer_than_the_call_ends_it_before_anything_is_sent(
    simulator: Simulator, chat: Request
) -> None:
    pause = Pause()
    pause.extend(3000)
    error = await failure(chat, Timeouts(total=20), pause)
    assert type(error) is RateLimitError
    assert error.retry_after
    assert 20 < error.retry_after <= 60  # however long it was asked to be
    assert simulator.requests(PATH) == []


# Time limits


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


# Redirects, TLS, cookies


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(simulator: Simulator, chat: Request, status: int) -> None:
    simulator.faults(status=status, redirect=f"{simulator.url}/v1/code/completions", target="key")
    error = await failure(chat)
    assert type(error) is BadGatewayError
    assert "redirect" in error.message
    assert [request["path"] for request in simulator.requests()] == [f"/v1/{PATH}"]


async def hello(request: web.Request) -> web.StreamResponse:
    return web.json_response({"message": "Hi"})


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("setting", ["none", "SSL_VERIFY=False", "litellm.ssl_verify = False", "AIOHTTP_TRUST_ENV"])
async def test_an_unknown_certificate_is_refused_whatever_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_VERIFY", raising=False)
    if setting == "SSL_VERIFY=False":
        monkeypatch.setenv("SSL_VERIFY", "False")
    elif setting == "litellm.ssl_verify = False":
        monkeypatch.setattr("litellm.ssl_verify", False)
    elif setting == "AIOHTTP_TRUST_ENV":
        monkeypatch.setenv("AIOHTTP_TRUST_ENV", "True")
    async with serving(hello, self_signed(tmp_path).tls) as server:
        assert type(await failure(Request(server.url, json={}))) is BadGatewayError
        assert server.sources == []


@pytest.mark.parametrize("setting", ["SSL_CERT_FILE", "SSL_VERIFY", "litellm.ssl_verify"])
@pytest.mark.parametrize("switched_off", [False, True])
async def test_an_own_authority_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, switched_off: bool
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_VERIFY", raising=False)
    certificate = self_signed(tmp_path)
    if setting == "litellm.ssl_verify":
        monkeypatch.setattr("litellm.ssl_verify", str(certificate.path))
    else:
        monkeypatch.setenv(setting, str(certificate.path))
    if switched_off and setting == "SSL_CERT_FILE":
        monkeypatch.setenv("SSL_VERIFY", "False")
    async with serving(hello, certificate.tls) as server:
        assert json.loads(await answer(Request(server.url, json={}))) == {"message": "Hi"}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("wrong", [{"address": "127.0.0.2"}, {"days": -1}])
async def test_a_trusted_certificate_must_be_for_this_address_and_this_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    certificate = self_signed(tmp_path, **wrong)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    async with serving(hello, certificate.tls) as server:
        assert type(await failure(Request(server.url, json={}))) is BadGatewayError
        assert server.sources == []


async def test_no_cookie_is_kept() -> None:
    async def with_cookie(request: web.Request) -> web.StreamResponse:
        response = web.json_response({})
        response.set_cookie("session", "someone")
        return response

    async with serving(with_cookie) as server:
        for _ in range(2):
            await answer(Request(server.url, json={}))
        assert ["cookie" in headers for headers in server.headers] == [False, False]


async def test_a_compressed_answer_is_unpacked() -> None:
    async def compressed(request: web.Request) -> web.StreamResponse:
        response = web.json_response({"message": "Hi"})
        response.enable_compression(web.ContentCoding.gzip)
        return response

    async with serving(compressed) as server:
        assert json.loads(await answer(Request(server.url, json={}))) == {"message": "Hi"}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
        b"\x00\xff\xfe",
    ],
)
async def test_whatever_is_answered_the_error_is_ours(sent: bytes) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(sent)
        await writer.drain()

    async with speaking(speak) as url:
        assert isinstance(await failure(Request(url, json={})), BadGatewayError)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("url", ["http://", "http://[", "nonsense", "http://127.0.0.1:99999", "ftp://127.0.0.1"])
async def test_an_address_that_is_none(url: str) -> None:
    assert type(await failure(Request(url, json={}))) is BadGatewayError


# Connections


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
