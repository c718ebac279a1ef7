"""Long work: clients shorten the conversation when the context is full, and finish."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.client import Simulator
from tests.harness import Account, Server, running_gateway
from tests.slow.agents import work
from tests.slow.agents.running import Place, run_as_told

pytestmark = [pytest.mark.agents, pytest.mark.timeout(480)]

SUMMED_UP = "Changed already: `greeting.py`."


@pytest.fixture
def own_gateway(account: Account, simulator: Simulator, logs: Path) -> Iterator[Server]:
    """The gateway learns a limit for good, so that this one is not shared."""
    with running_gateway(account.for_gateway(simulator.url), logs / "compaction.log") as server:
        yield server


@pytest.mark.parametrize("client", ["claude-code"])
def test_the_error_of_a_full_context_makes_the_client_compact(
    client: str, place: Place, own_gateway: Server, simulator: Simulator
) -> None:
    simulator.model("coder")
    simulator.faults(token_limit=30_500)
    work.prepare(place.folder, long=True)
    output = run_as_told(client, place, gateway=own_gateway.url, key=own_gateway.key)
    asked = simulator.requests("/v1/agent/")
    assert 400 in [request["status"] for request in asked]
    assert any((request["answer"] or "").startswith(SUMMED_UP) for request in asked), output
    work.check(place.folder, long=True)


@pytest.mark.parametrize(("client", "context"), [("claude-code", 53_000), ("codex", 15_100)])
def test_a_client_compacts_by_the_usage_that_it_is_told(
    client: str, context: int, place: Place, gateway: Server, simulator: Simulator
) -> None:
    simulator.model("coder")
    work.prepare(place.folder, long=True)
    output = run_as_told(client, place, gateway=gateway.url, key=gateway.key, context=context)
    asked = simulator.requests("/v1/agent/")
    assert [request["status"] for request in asked] == [200] * len(asked)
    assert any((request["answer"] or "").startswith(SUMMED_UP) for request in asked), output
    work.check(place.folder, long=True)
