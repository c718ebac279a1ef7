"""A source of tokens at the simulator, and retries that do not wait for long."""

import pytest

from custom_handlers.http import retry
from custom_handlers.upstream import oauth
from custom_handlers.upstream.agents_api import AgentsApi
from custom_handlers.upstream.oauth import TokenSource
from simulator.client import Simulator
from tests.harness import Account
from tests.unit.custom_handlers.upstream.oauth.asking import Clock


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
