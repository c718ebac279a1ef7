"""SDKs that leave it to the service to remember their answers are told so, and work with what their how-to says."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from simulator.client import Simulator
from tests.harness import Server
from tests.slow.agents.running import Place

pytestmark = [pytest.mark.agents, pytest.mark.timeout(480)]

DRIVER = Path(__file__).with_name("stored_answers.mjs")
TASK = "Call `order` with `number=7`."


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
