"""What the clients really sent, sent again: each request is answered, streamed and not, with the same result."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.client import Simulator
from tests.harness import WITHOUT_TLS, Server
from tests.slow.agents.cleaning import lengthened
from tests.slow.agents.recording import FIXTURES, RECORDED
from tests.slow.agents.replies import Reply, read_reply


def recorded(path: Path) -> list[dict[str, Any]]:
    fixture = json.loads(path.read_text())
    tools = lengthened(fixture["tools"])
    requests = [{**request, "body": lengthened(request["body"])} for request in fixture["requests"]]
    for request in requests:
        if request["body"].get("tools") == "tools":
            request["body"]["tools"] = tools
    return requests


def ask(gateway: Server, request: dict[str, Any], *, stream: bool) -> Reply:
    headers = {**request["headers"], "authorization": f"Bearer {gateway.key}"}
    headers = {name: value for name, value in headers.items() if name != "x-api-key"}
    body = {**request["body"], "stream": stream}
    body.pop("stream_options", None)
    if stream and "chat" in request["path"]:
        body["stream_options"] = {"include_usage": True}
    answer = httpx.post(
        gateway.url + request["path"], headers=headers, json=body, timeout=60, trust_env=False, verify=WITHOUT_TLS
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream" if stream else "application/json")
    return read_reply(request["path"], answer.text, stream=stream)


def names_of(tools: list[dict[str, Any]]) -> set[str]:
    """The names that a call may have; for those in a namespace the call has its name beside its own."""
    inner = [tool for space in tools for tool in space.get("tools") or ()]
    return {tool.get("function", tool).get("name", "") for tool in (*tools, *inner)}


def test_every_client_is_recorded() -> None:
    assert {path.stem for path in FIXTURES.glob("*.json")} == set(RECORDED)


@pytest.mark.parametrize("model", ["coder", "coder-flawed"])
@pytest.mark.parametrize("client", RECORDED)
def test_what_clients_sent_is_answered_alike_in_both_modes(
    client: str, model: str, gateway: Server, simulator: Simulator
) -> None:
    simulator.model(model)
    for request in recorded(FIXTURES / f"{client}.json"):
        streamed, whole = (ask(gateway, request, stream=stream) for stream in (True, False))
        assert streamed.calls == whole.calls
        assert streamed.text == whole.text
        assert streamed.finish == whole.finish
        assert streamed.usage == whole.usage
        assert whole.usage[0] > 0
        assert whole.usage[1] > 0
        assert "tool_call" not in whole.text
        tools = request["body"].get("tools") or []
        assert {name for name, _ in whole.calls} <= names_of(tools)


@pytest.mark.parametrize("client", [client for client in RECORDED if client != "aider"])
def test_the_first_request_leads_to_a_call_and_the_last_to_the_end(
    client: str, gateway: Server, simulator: Simulator
) -> None:
    simulator.model("coder")
    first, last = (ask(gateway, request, stream=True) for request in recorded(FIXTURES / f"{client}.json")[-2:])
    assert len(first.calls) == 1
    assert last.calls == []
    assert ("letter said: " if client.endswith("-mcp") else "the tests pass") in last.text
