"""The scripted model's errands: it calls what the user names, and searches what it is not offered."""

import json
from typing import Any

import pytest

from custom_handlers.emulation.emulator import prepare
from simulator.model.scripted_agent import ScriptedAgent
from tests.unit.simulator.test_coder import tool

TASK = "Call `order` with `number=7`. Call `fetch` with `url=https://example.com/x, prompt=What is it?`."
ORDER = tool("mcp__desk__order", number={"type": "integer"})
FETCH = tool("fetch", "url", "prompt")
SEARCH = tool("ToolSearch", "query")


def says(messages: list[dict[str, Any]], *tools: dict[str, Any]) -> str:
    asked = prepare([{"role": "user", "content": TASK}, *messages], {"tools": list(tools)})
    return ScriptedAgent().answer(asked.prompt).text


def done(call_id: str, name: str, arguments: dict[str, Any], result: str) -> list[dict[str, Any]]:
    function = {"name": name, "arguments": json.dumps(arguments)}
    call = {"id": call_id, "type": "function", "function": function}
    return [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call_id, "content": result},
    ]


CALLED = done("call_1", "mcp__desk__order", {"number": 7}, "at sea")
FETCHED = done("call_2", "fetch", {"url": "https://example.com/x", "prompt": "What is it?"}, "a page")


def test_it_calls_what_it_is_told_by_the_end_of_its_name() -> None:
    assert '{"name": "mcp__desk__order", "arguments": {"number": 7}}' in says([], FETCH, ORDER)


def test_the_next_one_follows_the_result() -> None:
    text = says(CALLED, FETCH, ORDER)
    assert '"arguments": {"url": "https://example.com/x", "prompt": "What is it?"}' in text


def test_at_the_end_it_says_what_the_tools_said() -> None:
    assert says([*CALLED, *FETCHED], FETCH, ORDER) == "order said: at sea\nfetch said: a page"


def test_what_is_not_offered_is_searched_and_then_called() -> None:
    assert '{"name": "ToolSearch", "arguments": {"query": "order"}}' in says([], FETCH, SEARCH)
    searched = done("call_0", "ToolSearch", {"query": "order"}, "mcp__desk__order")
    assert '"mcp__desk__order"' in says(searched, FETCH, SEARCH, ORDER)
    assert "may not call it" in says(searched, FETCH, SEARCH)


@pytest.mark.parametrize("found", ['{"name":"mcp__desk__order"}', '{"name": "mcp__desk__order"}'])
def test_what_was_found_is_called_by_the_client_s_go_between(found: str) -> None:
    offered = (FETCH, tool("tool_search", "query"), tool("tool_call", "name", arguments={"type": "object"}))
    searched = done("call_0", "tool_search", {"query": "order"}, f"<functions>{found}</functions>")
    call = {"name": "mcp__desk__order", "arguments": {"number": 7}}
    assert json.dumps({"name": "tool_call", "arguments": call}) in says(searched, *offered)
    assert '"name": "fetch"' in says([*searched, *done("call_1", "tool_call", call, "at sea")], *offered)


def test_a_tool_that_is_nowhere_ends_the_work() -> None:
    assert says([], FETCH) == "There is no tool order here."
