"""Records what clients send while they do the work: `python -m tests.slow.agents.recording [NAME ...]`.

Run it when the version of a client has changed; the difference shows what the new one does differently.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from gateway.clients import MODEL
from simulator.client import Simulator
from tests.harness import ROOT, Account, running_gateway, running_simulator
from tests.slow.agents import errands, work
from tests.slow.agents.cleaning import KEY, cleaned
from tests.slow.agents.installing import install_npm_clients, install_python_clients
from tests.slow.agents.packages import CLIENTS as PACKAGES
from tests.slow.agents.running import Place, run_as_told
from tests.slow.agents.tap import tapped

FIXTURES = ROOT / "tests" / "fixtures" / "clients"
CLIENTS = (
    *("aider", "anthropic-python", "claude-code", "cline", "codex", "continue", "copilot", "langchain", "llm"),
    *("openai-javascript", "openai-python", "opencode", "pydantic-ai", "qwen-code", "vercel-ai-sdk"),
)
# The same clients with an MCP server: tools that are searched, in namespaces, or called by a go-between.
_WITH_SERVER = "-mcp"
RECORDED = (*CLIENTS, *(f"{client}{_WITH_SERVER}" for client in errands.CLIENTS))
_SPARE_TOOLS = 2


def chosen(requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first request of the work, the last one, and one of each kind beside it."""
    with_tools = [request for request in requests if request["body"].get("tools")]
    without = [request for request in requests if not request["body"].get("tools")]
    return [*without[:1], *with_tools[:1], *with_tools[1:][-1:]]


def record(name: str, gateway: str, key: str, programs: dict[str, Path]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as base, tapped(gateway) as tap:
        client = name.removesuffix(_WITH_SERVER)
        environment = PACKAGES[client].environment
        python = install_python_clients(environment) if environment else Path(sys.executable).parent
        place = Place.new(Path(base), programs, python=python)
        if client == name:
            run_as_told(client, place, gateway=tap.url, key=key)
            work.check(place.folder)
        else:
            add = errands.add_server(client, _SPARE_TOOLS)
            output = run_as_told(client, place, gateway=tap.url, key=key, task=errands.TASK, add=add)
            assert all(told in output for told in errands.TOLD), output
        secrets = {str(place.folder): "/home/dev/work", str(place.home): "/home/dev", base: "/tmp", key: KEY}  # noqa: S108
        secrets |= {str(place.folder).replace("/", "-"): "-home-dev-work", tap.url: "http://127.0.0.1:4000"}
        return cleaned(chosen(tap.requests), secrets)


def main(names: list[str]) -> None:
    programs = install_npm_clients()
    account, logs = Account.new(), Path(tempfile.mkdtemp())
    FIXTURES.mkdir(parents=True, exist_ok=True)
    with (
        running_simulator(account, logs / "simulator.log") as simulator,
        running_gateway(account.for_gateway(simulator.url), logs / "gateway.log") as gateway,
        Simulator(simulator.url) as switches,
    ):
        switches.model("coder")
        for name in names or RECORDED:
            fixture = {"client": name, "model": MODEL, **record(name, gateway.url, gateway.key, programs)}
            text = json.dumps(fixture, indent=1, ensure_ascii=False) + "\n"
            (FIXTURES / f"{name}.json").write_text(text)
            print(f"{name}: {len(fixture['requests'])} requests, {len(text)} characters", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
