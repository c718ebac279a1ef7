"""Who asks for a token, and for an answer with it; and a clock that can be turned."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from custom_handlers.core.errors import StackSpotError
from custom_handlers.core.events import Delta
from custom_handlers.http.timeouts import Deadline, Timeouts
from custom_handlers.upstream.agents_api import Agent, AgentsApi
from custom_handlers.upstream.oauth import TokenSource
from simulator.client import Simulator
from tests.harness import AGENTS

AGENT = Agent(AGENTS["stackspot-ai-chat"])
TIMEOUTS = Timeouts(first_byte=60, idle=60, total=60)


class Clock:
    """The time as the module under test sees it; the rest of the process goes on in real time."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


async def token(source: TokenSource, invalidate: str | None = None, timeouts: Timeouts = TIMEOUTS) -> str:
    return await source.get_token(Deadline(timeouts), invalidate=invalidate)


async def failure(source: TokenSource, invalidate: str | None = None) -> StackSpotError:
    with pytest.raises(StackSpotError) as caught:
        await token(source, invalidate)
    return caught.value


async def ask(api: AgentsApi, prompt: str = "Hi") -> str:
    async with aclosing(api.ask(AGENT, prompt, Deadline(TIMEOUTS))) as answer:
        return "".join([event.text async for event in answer if isinstance(event, Delta)])


def asked(simulator: Simulator) -> int:
    count: int = simulator.state()["token_requests"]
    return count


async def until(condition: Any) -> None:
    for _ in range(500):
        if await asyncio.to_thread(condition):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come true")


async def until_other_than(old: str, source: TokenSource) -> None:
    for _ in range(500):
        if await token(source) != old:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it was not renewed")
