"""What is asked for, how long it is kept, and what its failures mean."""

import asyncio
import json
from typing import Any

import pytest

from custom_handlers.core.errors import (
    AuthenticationError,
    BadGatewayError,
    InvalidResponseError,
    RateLimitError,
    ServiceUnavailableError,
    StackSpotError,
)
from custom_handlers.upstream import oauth
from custom_handlers.upstream.oauth import TokenSource
from simulator.client import Simulator
from tests.harness import Account
from tests.unit.custom_handlers.upstream.oauth.asking import (
    Clock,
    asked,
    failure,
    token,
    until,
    until_other_than,
)


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
