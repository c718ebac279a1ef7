"""The access token: kept, renewed early, asked for once however many want it, and never seen in a log."""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from custom_handlers.core.errors import (
    AuthenticationError,
    BadGatewayError,
    CallerTimeoutError,
    InvalidResponseError,
    PermissionDeniedError,
    RateLimitError,
    ServiceUnavailableError,
    StackSpotError,
)
from custom_handlers.core.events import Delta
from custom_handlers.http import retry
from custom_handlers.http.timeouts import Deadline, Timeouts
from custom_handlers.upstream import oauth
from custom_handlers.upstream.agents_api import Agent, AgentsApi
from custom_handlers.upstream.oauth import TokenSource
from simulator.client import Simulator
from tests.harness import AGENTS, Account, running_simulator
from tests.sampling import thorough

AGENT = Agent(AGENTS["stackspot-ai-chat"])
TIMEOUTS = Timeouts(first_byte=60, idle=60, total=60)


class Clock:
    """The time as the module under test sees it; the rest of the process goes on in real time."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(oauth, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "RETRY_DELAYS", (0.01, 0.02, 0.04))


@pytest.fixture
def source(simulator: Simulator, account: Account) -> TokenSource:
    return TokenSource(simulator.url, account.realm, account.client_id, account.client_secret)


@pytest.fixture
def api(simulator: Simulator, source: TokenSource) -> AgentsApi:
    return AgentsApi(simulator.url, source)


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


async def test_the_request(simulator: Simulator, source: TokenSource, account: Account) -> None:
    assert await token(source)
    (request,) = simulator.requests()
    assert request["path"] == f"/{account.realm}/oidc/oauth/token"
    assert request["query"] == {}
    assert request["headers"]["content-type"] == "application/x-www-form-urlencoded"
    assert "authorization" not in request["headers"]
    assert request["body"] == {
        "grant_type": "client_credentials",
        "client_id": account.client_id,
        "client_secret": account.client_secret,
    }


async def test_a_token_is_kept(simulator: Simulator, source: TokenSource) -> None:
    assert len({await token(source) for _ in range(5)}) == 1
    assert asked(simulator) == 1


async def test_two_hundred_who_want_one_at_once(simulator: Simulator, source: TokenSource) -> None:
    simulator.faults(header_delay=0.3, target="token")
    tokens = await asyncio.gather(*(token(source) for _ in range(200)))
    assert len(set(tokens)) == 1
    assert asked(simulator) == 1


async def test_it_is_renewed_a_minute_early_and_nobody_waits(
    simulator: Simulator, source: TokenSource, clock: Clock
) -> None:
    first = await token(source)
    clock.now += 1199 - 61
    assert await token(source) == first
    assert asked(simulator) == 1
    clock.now += 2
    simulator.faults(header_delay=0.3, target="token")
    assert [await token(source) for _ in range(20)] == [first] * 20
    await until(lambda: asked(simulator) == 2)
    await until_other_than(first, source)
    assert asked(simulator) == 2


async def test_an_expired_one_is_not_used(simulator: Simulator, source: TokenSource, clock: Clock) -> None:
    first = await token(source)
    clock.now += 1200
    assert await token(source) != first
    assert asked(simulator) == 2


async def test_a_short_life_is_used_for_half_of_it(simulator: Simulator, source: TokenSource, clock: Clock) -> None:
    simulator.faults(status=200, body={"access_token": "short", "expires_in": 20}, target="token")
    assert await token(source) == "short"
    clock.now += 9
    assert await token(source) == "short"
    await asyncio.sleep(0.1)
    assert asked(simulator) == 1
    clock.now += 2
    assert await token(source) == "short"
    await until(lambda: asked(simulator) == 2)


async def test_while_a_token_is_good_a_failed_renewal_harms_nobody(
    simulator: Simulator, source: TokenSource, clock: Clock
) -> None:
    first = await token(source)
    clock.now += 1199 - 30
    simulator.faults(status=400, body={}, target="token")
    for _ in range(20):
        assert await token(source) == first
        await asyncio.sleep(0.01)
    await until(lambda: asked(simulator) == 2 and not source._renewals)
    for _ in range(20):
        assert await token(source) == first
    assert asked(simulator) == 2  # the failure is remembered
    clock.now += 6
    assert await token(source) == first
    await until(lambda: asked(simulator) == 3 and not source._renewals)
    clock.now += 6
    simulator.no_faults("token")
    await token(source)
    await until_other_than(first, source)
    assert asked(simulator) == 4


async def test_a_failure_is_remembered_for_a_few_seconds(
    simulator: Simulator, source: TokenSource, clock: Clock
) -> None:
    simulator.faults(status=401, body={"error": "invalid_client"}, target="token")
    errors = [await failure(source) for _ in range(5)]
    errors += await asyncio.gather(*(failure(source) for _ in range(50)))
    assert {type(error) for error in errors} == {AuthenticationError}
    assert asked(simulator) == 1
    simulator.no_faults("token")
    clock.now += oauth.FAILURE_MEMORY_SECONDS - 0.1
    await failure(source)
    clock.now += 0.2
    assert await token(source)
    assert asked(simulator) == 2


async def test_a_success_ends_the_memory_of_failures(simulator: Simulator, source: TokenSource, clock: Clock) -> None:
    simulator.faults(status=401, times=1, target="token")
    await failure(source)
    clock.now += 6
    first = await token(source)
    assert await token(source, invalidate=first) != first


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_a_refusal_means_the_credentials(simulator: Simulator, source: TokenSource, status: int) -> None:
    simulator.faults(status=status, body={"error": "invalid_client", "error_description": "s3cret"}, target="token")
    error = await failure(source)
    assert type(error) is AuthenticationError
    assert "STACKSPOT_REALM" in error.message
    assert "s3cret" not in error.message
    assert asked(simulator) == 1


async def test_wrong_credentials(simulator: Simulator, account: Account) -> None:
    for realm, secret in ((account.realm, "wrong"), ("elsewhere", account.client_secret)):
        error = await failure(TokenSource(simulator.url, realm, account.client_id, secret))
        assert type(error) is AuthenticationError


@pytest.mark.parametrize(
    ("faults", "kind"),
    [
        ({"status": 503}, ServiceUnavailableError),
        ({"status": 429}, RateLimitError),
        ({"html": True}, BadGatewayError),
        ({"disconnect": "reset"}, BadGatewayError),
    ],
)
async def test_other_failures_are_tried_again(
    simulator: Simulator, source: TokenSource, faults: dict[str, Any], kind: type[StackSpotError]
) -> None:
    simulator.faults(**faults, times=2, target="token")
    assert await token(source)
    assert asked(simulator) == 3
    simulator.faults(**faults, target="token")
    assert type(await failure(source, invalidate=await token(source))) is kind
    assert asked(simulator) == 7


async def test_a_redirect_is_not_followed(simulator: Simulator, source: TokenSource) -> None:
    simulator.faults(redirect=f"{simulator.url}/elsewhere/oidc/oauth/token", status=307, target="token")
    assert type(await failure(source)) is BadGatewayError
    assert len(simulator.requests()) == 1


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "[]",
        {},
        {"access_token": None},
        {"access_token": ""},
        {"access_token": 7},
        {"access_token": "two\r\nlines"},
        {"access_token": "ünprintable"},
        {"error": "invalid_client"},
    ],
)
async def test_an_answer_without_a_token(simulator: Simulator, source: TokenSource, body: Any) -> None:
    simulator.faults(status=200, body=body, target="token")
    assert type(await failure(source)) is InvalidResponseError


@pytest.mark.parametrize(
    "life",
    [None, "1199", 0, -1, 10**30, 10**400, [], float("nan"), float("inf")],
    ids=lambda life: repr(life)[:20],
)
async def test_a_life_that_is_none_counts_as_the_usual(
    simulator: Simulator, source: TokenSource, clock: Clock, life: Any
) -> None:
    simulator.faults(status=200, body=json.dumps({"access_token": "some", "expires_in": life}), target="token")
    assert await token(source) == "some"
    clock.now += 1000
    assert await token(source) == "some"
    await asyncio.sleep(0.05)
    assert asked(simulator) == 1
    clock.now += 205
    await token(source)
    assert asked(simulator) == 2


# Whoever waits


async def test_who_began_a_renewal_may_leave(simulator: Simulator, source: TokenSource) -> None:
    simulator.faults(header_delay=0.5, target="token")
    first = asyncio.create_task(token(source))
    await until(lambda: asked(simulator) == 1)
    others = [asyncio.create_task(token(source)) for _ in range(5)]
    await asyncio.sleep(0.05)
    first.cancel()
    assert len(set(await asyncio.gather(*others))) == 1
    assert asked(simulator) == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_an_impatient_caller_harms_nobody_else(simulator: Simulator, source: TokenSource) -> None:
    simulator.faults(header_delay=0.8, target="token")
    impatient = asyncio.create_task(token(source, timeouts=Timeouts(total=0.1)))
    await asyncio.sleep(0.01)
    patient = asyncio.create_task(token(source))
    with pytest.raises(CallerTimeoutError):
        await impatient
    assert await patient
    assert await token(source)
    assert asked(simulator) == 1


async def test_a_renewal_has_time_limits_of_its_own(
    simulator: Simulator, source: TokenSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oauth, "RENEWAL_TIMEOUTS", Timeouts(first_byte=0.2, idle=0.2, total=60))
    simulator.faults(header_delay=50, target="token")
    assert "silent for 0.2 s" in (await failure(source)).message


async def test_who_cannot_wait_for_a_renewal_is_told_what_has_failed_so_far(
    simulator: Simulator, source: TokenSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "RETRY_DELAYS", (10.0, 0.0, 0.0))
    simulator.faults(status=500, target="token")
    with pytest.raises(BadGatewayError, match="answered HTTP 500"):
        await token(source, timeouts=Timeouts(first_byte=1))
    assert asked(simulator) == 1


def test_several_event_loops(source: TokenSource, simulator: Simulator) -> None:
    """Callers in threads of their own, as an in-process application may have them."""
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(asyncio.run(token(source)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 8
    assert asyncio.run(token(source)) == asyncio.run(token(source))
    assert asyncio.run(token(source, invalidate=found[-1]))


def test_a_loop_that_ends_in_the_middle_of_a_renewal(source: TokenSource, simulator: Simulator) -> None:
    async def begin_and_leave() -> None:
        task = asyncio.create_task(token(source))
        await until(lambda: asked(simulator) == 1)
        task.cancel()

    simulator.faults(header_delay=0.5, target="token", times=1)
    asyncio.run(begin_and_leave())
    assert asyncio.run(token(source))


# A token that ends before its time


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


# Secrets


@pytest.fixture
async def everything_logged(caplog: pytest.LogCaptureFixture) -> AsyncIterator[pytest.LogCaptureFixture]:
    names = ["", "LiteLLM", "httpx", "httpcore", "aiohttp.client", "asyncio", "stackspot_config"]
    for name in names:
        caplog.set_level(logging.DEBUG, name)
        logging.getLogger(name).addHandler(caplog.handler)
    yield caplog
    for name in names:
        logging.getLogger(name).removeHandler(caplog.handler)


async def test_secrets_are_never_logged(
    simulator: Simulator, api: AgentsApi, account: Account, everything_logged: pytest.LogCaptureFixture
) -> None:
    await ask(api)
    used = [await token(api.tokens)]
    simulator.revoke_tokens()
    await ask(api)
    used.append(await token(api.tokens))
    simulator.faults(status=401, target="token")
    await failure(api.tokens, invalidate=used[-1])
    logged = everything_logged.text
    assert "StackSpot token renewed" in logged
    assert "StackSpot token renewal failed" in logged
    assert not [secret for secret in (*used, account.client_secret) if secret in logged]


def test_a_token_source_does_not_show_its_secret(source: TokenSource, account: Account) -> None:
    assert account.client_secret not in repr(source) + repr(AgentsApi("", source))
