"""Requests that wait for their turn: both upstreams, every try and every correction, over real sockets."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from custom_handlers.client import ChatRequest, StackSpotClient
from custom_handlers.config.deployment import Deployment
from custom_handlers.config.settings import read_settings
from custom_handlers.core import notes
from custom_handlers.core.errors import RateLimitError
from custom_handlers.core.events import Delta
from custom_handlers.http.timeouts import LEAST_SECONDS, Deadline, Timeouts
from custom_handlers.http.turns import Turns
from custom_handlers.pacing import pace
from custom_handlers.pacing.memory import MemoryPacer
from custom_handlers.pacing.quota import IN_PROCESS, Quota
from simulator.client import Simulator
from tests import harness

MODEL = "stackspot-ai-code"
AGENT = Deployment(stackspot_agent_id=harness.AGENTS[MODEL])
KEY_API = Deployment(max_input_tokens=1000)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a 429, no request goes for a hundredth of a second."""
    monkeypatch.setattr(pace, "LONGEST_HOLD", 0.01)


@pytest.fixture
def noted() -> Iterator[notes.Notes]:
    yield notes.begin()
    notes._notes.set(None)


def client_of(simulator: Simulator, account: harness.Account, quota: Quota | None) -> StackSpotClient:
    settings = read_settings(account.for_gateway(simulator.url))
    return StackSpotClient(replace(settings, quota=quota, in_process=False))


async def ask(stackspot: StackSpotClient, deployment: Deployment = AGENT, total: float = 60, **parameters: Any) -> str:
    request = ChatRequest(MODEL, [{"role": "user", "content": "Hi"}], parameters)
    deadline = Deadline(Timeouts(total=total))
    async with aclosing(stackspot.chat(deployment, request, deadline)) as answer:
        return "".join([event.fields.get("content") or "" async for event in answer if isinstance(event, Delta)])


def asked(simulator: Simulator) -> list[int]:
    return [found["status"] for path in ("/chat", "completions") for found in simulator.requests(path)]


async def test_both_upstreams_have_one_pace(simulator: Simulator, account: harness.Account) -> None:
    stackspot = client_of(simulator, account, Quota(2, burst=2))
    assert await ask(stackspot)
    assert await ask(stackspot, KEY_API)
    for deployment in (AGENT, KEY_API):
        with pytest.raises(RateLimitError) as caught:
            await ask(stackspot, deployment, total=20)
        assert 20 < (caught.value.retry_after or 0) <= 61
        assert caught.value.message.startswith(
            "StackSpot's request limit for this account is reached, and this request"
        )
    assert asked(simulator) == [200, 200]


async def test_without_a_limit_nothing_is_paced(simulator: Simulator, account: harness.Account) -> None:
    stackspot = client_of(simulator, account, None)
    assert stackspot.pacer is None
    assert all(await asyncio.gather(*(ask(stackspot) for _ in range(10))))


async def test_a_429_of_stackspot_is_not_seen_however_many_come(
    simulator: Simulator, account: harness.Account, noted: notes.Notes
) -> None:
    """More than a call has attempts: what StackSpot does not take costs none."""
    stackspot = client_of(simulator, account, Quota(6000))
    simulator.faults(status=429, times=7)
    assert await ask(stackspot)
    assert asked(simulator) == [429] * 7 + [200]
    assert stackspot.pacer
    assert (await stackspot.pacer.status()).rate < 6000
    assert noted.queued
    assert noted.queued > 0


async def test_a_429_that_lasts_is_told_in_the_end(simulator: Simulator, account: harness.Account) -> None:
    stackspot = client_of(simulator, account, Quota(6000, max_wait=0.2))
    simulator.faults(status=429)
    with pytest.raises(RateLimitError) as caught:
        await ask(stackspot)
    assert caught.value.retry_after == 1
    assert caught.value.code == "INFERENCE_3008_CHAT_RATE_LIMIT_EXCEEDED"
    status = await stackspot.pacer.status() if stackspot.pacer else None
    assert status
    assert status.waiting == 0


async def test_after_a_429_no_turn_is_waited_for_that_leaves_no_time(
    simulator: Simulator, account: harness.Account
) -> None:
    stackspot = client_of(simulator, account, Quota(6000))
    simulator.faults(status=429)
    with pytest.raises(RateLimitError):
        await ask(stackspot, total=LEAST_SECONDS)
    assert asked(simulator) == [429]


async def test_a_retry_and_a_correction_take_turns_of_their_own(
    simulator: Simulator, account: harness.Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_handlers.http.retry.RETRY_DELAYS", (0.01, 0.01, 0.01))
    stackspot = client_of(simulator, account, Quota(6000))
    simulator.faults(status=503, times=1)
    simulator.answer("no JSON", '{"a": 1}')
    assert await ask(stackspot, response_format={"type": "json_object"}) == '{"a": 1}'
    assert len(asked(simulator)) == 3
    assert stackspot.pacer
    assert (await stackspot.pacer.status()).gone == 3


async def test_the_caller_is_who_the_proxy_says(
    simulator: Simulator, account: harness.Account, noted: notes.Notes
) -> None:
    stackspot = client_of(simulator, account, Quota())
    assert await ask(stackspot)
    noted.caller = notes.Caller("a key", 2.0)
    assert await ask(stackspot)
    assert isinstance(stackspot.pacer, MemoryPacer)
    assert (await stackspot.pacer.status()).keys == {IN_PROCESS: (0, 1), "a key": (0, 1)}


async def test_who_leaves_while_he_waits_leaves_the_queue(simulator: Simulator, account: harness.Account) -> None:
    stackspot = client_of(simulator, account, Quota(1, burst=1, max_wait=100))
    assert await ask(stackspot)
    waiting = asyncio.create_task(ask(stackspot, total=200))
    assert stackspot.pacer
    for _ in range(1000):
        if (await stackspot.pacer.status()).waiting:
            break
        await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await stackspot.pacer.status()).waiting == 0
    assert asked(simulator) == [200]


async def test_what_was_waited_counts_whether_the_turn_came_or_not() -> None:
    pacer = MemoryPacer(Quota(600, burst=1, max_wait=10))
    first, second = (Turns(pacer, notes.Caller(IN_PROCESS)) for _ in range(2))
    await first.take(Deadline(Timeouts()))
    await second.take(Deadline(Timeouts()))
    assert first.waited < second.waited
    assert second.waited >= 0.1 - 0.01  # the clocks of pacer and event loop differ a little
    impatient = Turns(pacer, notes.Caller(IN_PROCESS))
    waiting = asyncio.create_task(impatient.take(Deadline(Timeouts())))
    await asyncio.sleep(0.02)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert impatient.waited >= 0.02 - 0.01
