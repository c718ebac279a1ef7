"""More tools than a client wants to offer at once: it searches them, and what an MCP server answers comes through."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from simulator.client import Simulator
from tests.agents import mcp_server
from tests.agents.running import Place, run_as_told
from tests.harness import Server

pytestmark = [pytest.mark.agents, pytest.mark.timeout(480)]

COMMAND, ARGUMENTS = sys.executable, [str(Path(mcp_server.__file__))]
ERRANDS = " ".join(f"Call `{tool}` with `number=7`." for tool in ("order", "invoice", "letter"))
# What only the structured content, the link and the embedded resource say.
TOLD = ("order 7 is at the harbour", "harvest-7.pdf", "Dear sailor, 7 is yours.")


def changed(path: Path, more: Mapping[str, object]) -> None:
    """Put `more` into a JSON file, which need not be there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**settings, **more}))


def for_claude_code(place: Place) -> None:
    server = {"type": "stdio", "command": COMMAND, "args": ARGUMENTS}
    changed(place.home / ".claude.json", {"mcpServers": {mcp_server.NAME: server}})
    allowed = {"allow": [f"mcp__{mcp_server.NAME}", "WebFetch"]}
    changed(place.home / ".claude" / "settings.json", {"permissions": allowed})


def for_codex(place: Place) -> None:
    with (place.home / ".codex" / "config.toml").open("a") as file:
        print(f"\n[mcp_servers.{mcp_server.NAME}]\ncommand = {json.dumps(COMMAND)}", file=file)
        print(f"args = {json.dumps(ARGUMENTS)}", file=file)


def for_qwen_code(place: Place) -> None:
    server = {"command": COMMAND, "args": ARGUMENTS, "trust": True}
    changed(place.home / ".qwen" / "settings.json", {"mcpServers": {mcp_server.NAME: server}})


ADD: dict[str, Callable[[Place], None]] = {
    "claude-code": for_claude_code,
    "codex": for_codex,
    "qwen-code": for_qwen_code,
}
SEARCHES = {"claude-code": "ToolSearch", "qwen-code": "tool_search"}


def prompts(simulator: Simulator) -> Iterator[str]:
    for asked in simulator.requests("/v1/agent/"):
        yield asked["body"]["user_prompt"]


def offered(prompt: str) -> list[str]:
    found = re.search(r"^The tools: (.+)\.$", prompt, re.MULTILINE)
    return found[1].split(", ") if found else []


@pytest.mark.parametrize("model", ["coder", "coder-flawed"])
@pytest.mark.parametrize("client", ADD)
def test_what_an_mcp_server_answers_reaches_the_model(
    client: str, model: str, place: Place, gateway: Server, simulator: Simulator
) -> None:
    simulator.model(model)
    output = run_as_told(client, place, gateway=gateway.url, key=gateway.key, task=ERRANDS, add=ADD[client])
    assert [told for told in TOLD if told not in output] == [], output[-6000:]
    assert {asked["status"] for asked in simulator.requests("/v1/agent/")} == {200}
    if client in SEARCHES:
        searched = [prompt for prompt in prompts(simulator) if f'"name": "{SEARCHES[client]}"' in prompt]
        assert searched, "the tools were not searched"


def test_claude_code_may_call_what_its_search_has_found(place: Place, gateway: Server, simulator: Simulator) -> None:
    simulator.model("coder")
    task = "Call `WebFetch` with `url=https://example.com/harvest, prompt=What is it?`."
    output = run_as_told("claude-code", place, gateway=gateway.url, key=gateway.key, task=task, add=for_claude_code)
    first, *others = map(offered, prompts(simulator))
    assert "ToolSearch" in first
    assert "WebFetch" not in first
    assert others
    assert all("WebFetch" in tools for tools in others)
    assert not any("DeferredToolPlaceholder" in tools for tools in (first, *others))
    # Nothing can be fetched here; the client says so, and the session goes on.
    assert "WebFetch said: Unable to verify" in output


@pytest.fixture
def client() -> str:
    """Whose programs `place` has, unless a test says otherwise."""
    return "claude-code"
