"""What the calls of one account share: the limit that StackSpot named is known to all, for a while."""

from contextlib import aclosing
from typing import Any

import pytest

from custom_handlers import account
from custom_handlers.account import Account
from custom_handlers.settings import read_settings
from custom_handlers.upstream.agents_api import Agent
from custom_handlers.wire.errors import ContextTooLong
from custom_handlers.wire.transport import Limits
from simulator.client import Simulator
from tests import harness

AGENT = Agent(harness.AGENTS["stackspot-ai-code"])
LONG = [{"role": "user", "content": "word " * 3000}]


@pytest.fixture
def stackspot(simulator: Simulator, request: pytest.FixtureRequest) -> Account:
    credentials: harness.Account = request.getfixturevalue("account")
    return Account(read_settings(credentials.for_gateway(simulator.url)))


async def ask(stackspot: Account, messages: Any, limit: int | None = None) -> None:
    async with aclosing(stackspot.ask_agent(AGENT, messages, {}, limit, Limits())) as answer:
        assert [event async for event in answer]


async def too_long(stackspot: Account, messages: Any, limit: int | None = None) -> int | None:
    with pytest.raises(ContextTooLong) as caught:
        await ask(stackspot, messages, limit)
    return caught.value.limit


async def test_a_learned_limit_is_known_to_the_calls_that_follow(stackspot: Account, simulator: Simulator) -> None:
    simulator.faults(token_limit=2000)
    assert await too_long(stackspot, LONG) == 2000
    simulator.no_faults()
    assert await too_long(stackspot, LONG, limit=100_000) == 2000
    assert len(simulator.requests("/chat")) == 1


async def test_a_learned_limit_is_forgotten(
    stackspot: Account, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "LEARNED_FOR", 0.0)
    simulator.faults(token_limit=2000)
    assert await too_long(stackspot, LONG) == 2000
    simulator.no_faults()
    await ask(stackspot, LONG)


async def test_the_lower_limit_counts(stackspot: Account, simulator: Simulator) -> None:
    assert await too_long(stackspot, LONG, limit=100) == 100
    assert simulator.requests("/chat") == []
    simulator.faults(token_limit=2000)
    assert await too_long(stackspot, LONG) == 2000
    assert await too_long(stackspot, LONG, limit=1000) == 1000
