"""What the tests of the stand-in share."""

from collections.abc import Iterator

import httpx
import pytest

from simulator.client import Simulator
from tests.harness import Account
from tests.unit.simulator.calling import Caller


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False) as client:
        yield client


@pytest.fixture
def caller(simulator: Simulator, account: Account, http: httpx.Client) -> Caller:
    """A client with a good credential."""
    return Caller(simulator.url, account, http)
