"""More tools than a client wants to offer at once: it searches them, and what an MCP server answers comes through."""

import re
from collections.abc import Iterator

import pytest

from simulator.client import Simulator
from tests.harness import Server
from tests.slow.agents import errands
from tests.slow.agents.running import Place, run_as_told

pytestmark = [pytest.mark.agents, pytest.mark.timeout(480)]

SEARCHES = {"claude-code": "ToolSearch", "qwen-code": "tool_search"}


def prompts(simulator: Simulator) -> Iterator[str]:
    for asked in simulator.requests("/v1/agent/"):
        yield asked["body"]["user_prompt"]


def offered(prompt: str) -> list[str]:
    found = re.search(r"^The tools: (.+)\.$", prompt, re.MULTILINE)
    return found[1].split(", ") if found else []


@pytest.mark.parametrize("model", ["coder", "coder-flawed"])
@pytest.mark.parametrize("client", errands.CLIENTS)
def test_what_an_mcp_server_answers_reaches_the_model(
    client: str, model: str, place: Place, gateway: Server, simulator: Simulator
) -> None:
    simulator.model(model)
    add = errands.add_server(client)
    output = run_as_told(client, place, gateway=gateway.url, key=gateway.key, task=errands.TASK, add=add)
    assert [told for told in errands.TOLD if told not in output] == [], output[-6000:]
    assert {asked["status"] for asked in simulator.requests("/v1/agent/")} == {200}
    if client in SEARCHES:
        searched = [prompt for prompt in prompts(simulator) if f'"name": "{SEARCHES[client]}"' in prompt]
        assert searched, "the tools were not searched"


@pytest.mark.parametrize("client", ["claude-code"])
def test_what_a_search_has_found_can_be_called(
    client: str, place: Place, gateway: Server, simulator: Simulator
) -> None:
    simulator.model("coder")
    task, add = (
        "Call `WebFetch` with `url=https://example.com/harvest, prompt=What is it?`.",
        errands.add_server(client),
    )
    output = run_as_told(client, place, gateway=gateway.url, key=gateway.key, task=task, add=add)
    first, *others = map(offered, prompts(simulator))
    assert "ToolSearch" in first
    assert "WebFetch" not in first
    assert others
    assert all("WebFetch" in tools for tools in others)
    assert not any("DeferredToolPlaceholder" in tools for tools in (first, *others))
    # Nothing can be fetched here; the client says so, and the session goes on.
    assert re.search("WebFetch said: .*Unable to verify", output)
