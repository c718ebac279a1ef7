"""Clients work with the files that `clients configure` wrote, and with all three models where they hold several."""

import pytest

from gateway.clients import MODEL
from gateway.configuring import others
from simulator.client import Simulator
from tests.harness import AGENTS, Server
from tests.slow.agents import work
from tests.slow.agents.running import Place, run_configured

pytestmark = [pytest.mark.agents, pytest.mark.timeout(480)]

# How a client that holds several models is told which one.
CHOOSES = {
    "opencode": ("opencode run", "opencode run --model stackspot/{}"),
    "qwen-code": ("qwen --yolo", "qwen --yolo --model {}"),
}


def asked_agents(simulator: Simulator) -> set[str]:
    return {request["path"].split("/")[3] for request in simulator.requests("/v1/agent/")}


@pytest.mark.parametrize("client", ["claude-code", "codex", "opencode"])
def test_the_client_does_the_work_with_the_files_that_were_written(
    client: str, place: Place, gateway: Server, simulator: Simulator
) -> None:
    simulator.model("coder")
    output = run_configured(client, place, gateway=gateway.url, key=gateway.key)
    work.check(place.folder)
    assert asked_agents(simulator) == {AGENTS["stackspot-ai-code"]}
    assert gateway.key not in output
    assert list(place.home.rglob("*.before-stackspot")) == []


@pytest.mark.parametrize("client", CHOOSES)
def test_the_client_has_the_other_models_too(client: str, place: Place, gateway: Server, simulator: Simulator) -> None:
    old, new = CHOOSES[client]
    assert set(others()) | {MODEL} == {"stackspot", "stackspot-code", "stackspot-assistant"}
    for model, agent in (("stackspot", "stackspot-ai-chat"), ("stackspot-assistant", "stackspot-ai-assistant")):
        simulator.reset()
        simulator.rule("Hello from this model.", when="Say hello")
        output = run_configured(
            client, place, gateway=gateway.url, key=gateway.key, instead=(old, new.format(model)), task="Say hello."
        )
        assert "Hello from this model." in output
        asked = [request for request in simulator.requests("/v1/agent/") if "Say hello." in str(request["body"])]
        assert AGENTS[agent] in {request["path"].split("/")[3] for request in asked}
