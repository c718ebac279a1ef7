"""A token that ends before its time."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from custom_handlers.core.errors import (
    AuthenticationError,
    PermissionDeniedError,
    ServiceUnavailableError,
)
from custom_handlers.upstream.agents_api import AgentsApi
from custom_handlers.upstream.oauth import TokenSource
from simulator.client import Simulator
from tests.harness import Account, running_simulator
from tests.sampling import thorough
from tests.unit.custom_handlers.upstream.oauth.asking import (
    ask,
    asked,
)


async def test_a_401_forces_one_renewal(simulator: Simulator, api: AgentsApi) -> None:
    await ask(api)
    simulator.revoke_tokens()
    simulator.clear()
    assert "Hello" in await ask(api)
    assert [(r["status"], "chat" in r["path"]) for r in simulator.requests()] == [
        (401, True),
        (200, False),
        (200, True),
    ]


async def test_a_401_that_stays_is_told_after_one_renewal(simulator: Simulator, api: AgentsApi) -> None:
    simulator.faults(status=401)
    with pytest.raises(AuthenticationError):
        await ask(api)
    assert len(simulator.requests("chat")) == 2
    assert asked(simulator) == 2


async def test_a_403_forces_none(simulator: Simulator, api: AgentsApi) -> None:
    simulator.faults(not_shared=True)
    with pytest.raises(PermissionDeniedError):
        await ask(api)
    assert len(simulator.requests("chat")) == 1
    assert asked(simulator) == 1


async def test_a_forced_renewal_that_fails(simulator: Simulator, api: AgentsApi) -> None:
    await ask(api)
    simulator.revoke_tokens()
    simulator.faults(status=503, target="token")
    with pytest.raises(ServiceUnavailableError):
        await ask(api)
    with pytest.raises(ServiceUnavailableError):
        await ask(api)
    assert asked(simulator) == 1 + 4


async def test_two_hundred_calls_with_a_token_that_has_just_ended(simulator: Simulator, api: AgentsApi) -> None:
    await ask(api)
    simulator.revoke_tokens()
    simulator.faults(header_delay=0.2, target="token")
    answers = await asyncio.gather(*(ask(api, f"Call {number}") for number in range(200)))
    assert [f"“Call {number}”" in answer for number, answer in enumerate(answers)] == [True] * 200
    state = simulator.state()
    assert state["token_requests"] == 2
    assert state["max_concurrent_token_requests"] == 1


@pytest.fixture
def hasty(account: Account, tmp_path: Path) -> Iterator[Simulator]:
    """A service whose tokens live for one and a half seconds."""
    with (
        running_simulator(account, tmp_path / "simulator.log", "--token-life", "1.5") as server,
        Simulator(server.url) as client,
    ):
        yield client


@thorough
async def test_two_hundred_calls_over_tokens_that_expire(hasty: Simulator, account: Account) -> None:
    hasty.faults(header_delay=0.1, target="token")
    source = TokenSource(hasty.url, account.realm, account.client_id, account.client_secret)
    api = AgentsApi(hasty.url, source)

    async def later(number: int) -> str:
        await asyncio.sleep(number / 200 * 4)
        return await ask(api, f"Call {number}")

    answers = await asyncio.gather(*(later(number) for number in range(200)))
    assert [f"“Call {number}”" in answer for number, answer in enumerate(answers)] == [True] * 200
    state = await asyncio.to_thread(hasty.state)
    assert state["max_concurrent_token_requests"] == 1
    assert 3 <= state["tokens_issued"] <= 20
