"""What is tried again, how often, and how long is waited for."""

import asyncio
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handlers.core.errors import (
    AuthenticationError,
    BadGatewayError,
    BadRequestError,
    InvalidResponseError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
    StackSpotError,
    UpstreamTimeoutError,
)
from custom_handlers.http import retry
from custom_handlers.http.client import Request, stream
from custom_handlers.http.retry import Attempts, Pause, retry_delay
from custom_handlers.http.timeouts import LEAST_SECONDS, Deadline, Timeouts
from simulator.client import Simulator
from tests.harness import free_port
from tests.unit.custom_handlers.http.client.calling import PATH, answer, failure


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
