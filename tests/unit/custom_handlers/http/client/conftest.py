"""A call, and retries that do not wait for long."""

import pytest

from custom_handlers.http import retry
from custom_handlers.http.client import Request
from simulator.client import Simulator
from tests.harness import Account
from tests.unit.custom_handlers.http.client.calling import PATH


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without much waiting."""
    monkeypatch.setattr(retry, "RETRY_DELAYS", (0.01, 0.02, 0.04))


@pytest.fixture
def chat(simulator: Simulator, account: Account) -> Request:
    """A streamed call of the key API, which needs no token."""
    body = {"model": "stackspot-ai-chat", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    return Request(f"{simulator.url}/v1/{PATH}", {"Authorization": f"Bearer {account.api_key}"}, json=body)
