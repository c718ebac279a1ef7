"""What the calls of one account share: the limit that StackSpot named is known to all, for a while."""

from contextlib import aclosing
from typing import Any

import pytest

from custom_handlers import client
from custom_handlers.client import ChatRequest, StackSpotClient
from custom_handlers.config.deployment import Deployment
from custom_handlers.config.settings import read_settings
from custom_handlers.core.errors import ContextWindowExceededError
from custom_handlers.http.timeouts import Deadline, Timeouts
from simulator.client import Simulator
from tests import harness

MODEL = "stackspot-ai-code"
LONG = [{"role": "user", "content": "word " * 3000}]


@pytest.fixture
def stackspot(simulator: Simulator, request: pytest.FixtureRequest) -> StackSpotClient:
    credentials: harness.Account = request.getfixturevalue("account")
    return StackSpotClient(read_settings(credentials.for_gateway(simulator.url)))


async def ask(stackspot: StackSpotClient, messages: Any, limit: int | None = None) -> None:
    deployment = Deployment(stackspot_agent_id=harness.AGENTS[MODEL], max_input_tokens=limit)
    async with aclosing(stackspot.chat(deployment, ChatRequest(MODEL, messages, {}), Deadline(Timeouts()))) as answer:
        assert [event async for event in answer]


async def too_long(stackspot: StackSpotClient, messages: Any, limit: int | None = None) -> int | None:
    with pytest.raises(ContextWindowExceededError) as caught:
        await ask(stackspot, messages, limit)
    return caught.value.limit


async def test_a_learned_limit_is_known_to_the_calls_that_follow(
    stackspot: StackSpotClient, simulator: Simulator
) -> None:
    simulator.faults(token_limit=2000)
    assert await too_long(stackspot, LONG) == 2000
    simulator.no_faults()
    assert await too_long(stackspot, LONG, limit=100_000) == 2000
    assert len(simulator.requests("/chat")) == 1


async def test_a_learned_limit_is_forgotten(
    stackspot: StackSpotClient, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LEARNED_FOR", 0.0)
    simulator.faults(token_limit=2000)
    assert await too_long(stackspot, LONG) == 2000
    simulator.no_faults()
    await ask(stackspot, LONG)


async def test_the_lower_limit_counts(stackspot: StackSpotClient, simulator: Simulator) -> None:
    assert await too_long(stackspot, LONG, limit=100) == 100
    assert simulator.requests("/chat") == []
    simulator.faults(token_limit=2000)
    assert await too_long(stackspot, LONG) == 2000
    assert await too_long(stackspot, LONG, limit=1000) == 1000
