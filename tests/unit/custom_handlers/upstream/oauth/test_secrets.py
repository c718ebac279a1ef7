"""Nothing of a token or a secret is shown."""

import logging
from collections.abc import AsyncIterator

import pytest

from custom_handlers.upstream.agents_api import AgentsApi
from custom_handlers.upstream.oauth import TokenSource
from simulator.client import Simulator
from tests.harness import Account
from tests.unit.custom_handlers.upstream.oauth.asking import ask, failure, token


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
