"""What the tests of the stand-in share."""

from collections.abc import Iterator

import httpx
import pytest

from simulator.client import Simulator
from tests.harness import Account
from tests.unit.simulator.calling import Caller


@pytest.fixture
def caller(simulator: Simulator, account: Account) -> Iterator[Caller]:
    """A client with a good credential."""
    with httpx.Client(trust_env=False) as http:
        yield Caller(simulator.url, account, http)
