"""SDKs that leave it to the service to remember their answers: told what to set, or served where answers are kept."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.client import Simulator
from tests.harness import Account, Server, running_gateway
from tests.slow.agents.running import Place

pytestmark = [pytest.mark.agents, pytest.mark.timeout(480)]

DRIVER = Path(__file__).with_name("stored_answers.mjs")
TASK = "Call `order` with `number=7`."


@pytest.fixture(scope="module")
def remembering_gateway(account: Account, simulator_server: Server, logs: Path) -> Iterator[Server]:
    environ = {**account.for_gateway(simulator_server.url), "STACKSPOT_RESPONSES_MINUTES": "30"}
    with running_gateway(environ, logs / "remembering-gateway.log") as server:
        yield server


def run(place: Place, gateway: Server, how: str) -> str:
    shutil.copy(DRIVER, place.folder)
    done = subprocess.run(
        ["node", DRIVER.name, gateway.url, TASK, how],
        cwd=place.folder,
        env=place.environment("vercel-ai-sdk", gateway.key, TASK),
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("client", ["vercel-ai-sdk"])
def test_the_vercel_ai_sdk_is_told_what_to_set(
    client: str, place: Place, gateway: Server, simulator: Simulator
) -> None:
    """Its provider for OpenAI sends references to its earlier messages by default."""
    simulator.model("coder")
    said = run(place, gateway, "as it is")
    assert said.startswith("400: ")
    assert "`input[1]`" in said
    assert re.search(r"store\W+false", said)
    assert len(simulator.requests("/v1/agent/")) == 1, "it was asked again"


@pytest.mark.parametrize("client", ["vercel-ai-sdk"])
def test_the_vercel_ai_sdk_works_when_it_sends_its_history(
    client: str, place: Place, gateway: Server, simulator: Simulator
) -> None:
    simulator.model("coder")
    assert run(place, gateway, "store: false") == "order said: order 7 is at sea"


@pytest.mark.parametrize("client", ["vercel-ai-sdk"])
def test_the_vercel_ai_sdk_works_as_it_is_where_answers_are_kept(
    client: str, place: Place, remembering_gateway: Server, simulator: Simulator
) -> None:
    simulator.model("coder")
    assert run(place, remembering_gateway, "as it is") == "order said: order 7 is at sea"
