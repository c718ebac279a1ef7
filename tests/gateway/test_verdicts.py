"""What is made of an answer that is not what was asked for: used as far as it goes, corrected once, never repeated."""

from typing import Any

import anthropic
import openai
import pytest

from simulator.client import Simulator
from tests.gateway.calling import CHAT, MESSAGES, RESPONSES, ROUTES, Caller

both = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
CHAT_TOOLS: Any = [
    {"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in ("append", "read_file")
]
TOOLS: dict[str, Any] = {
    CHAT: CHAT_TOOLS,
    MESSAGES: [{"name": name, "input_schema": SCHEMA} for name in ("append", "read_file")],
    RESPONSES: [{"type": "function", **tool["function"]} for tool in CHAT_TOOLS],
}
APPEND = '<tool_call>{"name": "append", "arguments": {"path": "a"}}</tool_call>'
READ = APPEND.replace("append", "read_file")
UNREADABLE = '<tool_call>{"name": "read_file", "arguments": {"path": "a</tool_call>'
REFUSAL = "I'm sorry, but I can't help with that."
FORMAT = {"type": "json_schema", "name": "place", "schema": SCHEMA}
AS_JSON: dict[str, Any] = {
    CHAT: {"response_format": {"type": "json_schema", "json_schema": FORMAT}},
    MESSAGES: {"output_format": {"type": "json_schema", "schema": SCHEMA}},
    RESPONSES: {"text": {"format": FORMAT}},
}
IMPOSSIBLE = {"type": "json_schema", "json_schema": {"name": "none", "schema": {"not": {}}}}


def calls(reply: Any) -> list[str]:
    """The names of the tools that the client is to run, in order."""
    match reply.route, reply.streamed:
        case "chat", True:
            deltas = [call for choice in reply.choices for call in choice["delta"].get("tool_calls") or ()]
            return [call["function"]["name"] for call in deltas if call.get("id")]
        case "chat", False:
            return [call["function"]["name"] for call in reply.choices[0]["message"].get("tool_calls") or ()]
        case "messages", True:
            blocks = [event.data["content_block"] for event in reply.events if event.name == "content_block_start"]
            return [block["name"] for block in blocks if block["type"] == "tool_use"]
        case "messages", False:
            return [block["name"] for block in reply.body["content"] if block["type"] == "tool_use"]
        case _, True:
            items = [event.data["item"] for event in reply.events if event.data["type"] == "response.output_item.done"]
            return [item["name"] for item in items if item["type"] == "function_call"]
        case _:
            return [item["name"] for item in reply.body["output"] if item["type"] == "function_call"]


@both
@pytest.mark.parametrize("route", TOOLS)
def test_a_correction_makes_no_call_twice(caller: Caller, simulator: Simulator, route: str, stream: bool) -> None:
    simulator.answer(APPEND + UNREADABLE, APPEND + READ)
    reply = caller.ask(route, stream=stream, tools=TOOLS[route])
    assert calls(reply) == ["append", "read_file"]


@both
@pytest.mark.parametrize("route", TOOLS)
def test_a_call_that_is_lost_is_reported(caller: Caller, simulator: Simulator, route: str, stream: bool) -> None:
    simulator.answer(APPEND + UNREADABLE, UNREADABLE)
    reply = caller.ask(route, stream=stream, tools=TOOLS[route])
    assert calls(reply) == ["append"]
    assert "A tool call was not made" in reply.text


@both
def test_a_custom_call_is_custom_over_chat(caller: Caller, simulator: Simulator, stream: bool) -> None:
    simulator.answer('<tool_call>{"name": "patch", "arguments": {"input": "*** Begin\\n+a"}}</tool_call>')
    tools = [{"type": "custom", "custom": {"name": "patch", "description": "Patches."}}]
    reply = caller.ask(stream=stream, tools=tools)
    if stream:
        deltas = [call for choice in reply.choices for call in choice["delta"].get("tool_calls") or ()]
        assert (deltas[0]["type"], deltas[0]["custom"]["name"]) == ("custom", "patch")
        text = "".join(delta["custom"].get("input") or "" for delta in deltas)
    else:
        (call,) = reply.choices[0]["message"]["tool_calls"]
        assert (call["type"], call["custom"]["name"]) == ("custom", "patch")
        text = call["custom"]["input"]
    assert text == "*** Begin\n+a"
    assert reply.finish == "tool_calls"


@both
@pytest.mark.parametrize(
    "wanted",
    [{"response_format": {"type": "json_object"}}, {"tools": CHAT_TOOLS, "tool_choice": "required"}],
    ids=["json", "call"],
)
def test_what_max_tokens_cuts_off_is_reported_and_counted(
    caller: Caller, simulator: Simulator, wanted: dict[str, Any], stream: bool
) -> None:
    simulator.answer("word " * 200)
    fields = {"max_tokens": 50, "stream_options": {"include_usage": True}} if stream else {"max_tokens": 50}
    reply = caller.ask(stream=stream, **fields, **wanted)
    assert reply.text.split() == ["word"] * 50
    assert (reply.finish, len(simulator.requests("/v1/agent/"))) == ("length", 1)
    assert reply.usage
    assert reply.usage["output"] >= 50


@both
@pytest.mark.parametrize("route", [CHAT, MESSAGES, RESPONSES])
def test_an_answer_of_nothing_but_reasoning_has_a_text(
    caller: Caller, simulator: Simulator, route: str, stream: bool
) -> None:
    simulator.answer("<think>It is 42.")
    assert caller.ask(route, stream=stream).text.strip() == "It is 42."


@pytest.mark.parametrize("route", ROUTES)
def test_clients_are_asked_not_to_repeat_it(caller: Caller, simulator: Simulator, route: str) -> None:
    simulator.faults(empty_answer=True)
    reply = caller.ask(route)
    assert (reply.status, reply.headers.get("x-should-retry")) == (502, "false")
    simulator.faults(status=500, body="")
    reply = caller.ask(route)
    assert (reply.status, reply.headers.get("x-should-retry")) == (502, None)


@both
@pytest.mark.parametrize("sdk", ["openai", "anthropic", "responses"])
def test_one_call_of_an_sdk_asks_twice_at_most(caller: Caller, simulator: Simulator, sdk: str, stream: bool) -> None:
    """One answer and its correction: each repetition by the SDK would cost as much again."""
    simulator.rule('<tool_call>{"name": "read_file", "arguments": {"path": "a</tool_call>', pattern=".")
    key, url = caller.server.key, caller.server.url
    with pytest.raises((openai.OpenAIError, anthropic.AnthropicError)):  # noqa: PT012
        match sdk:
            case "openai":
                client = openai.OpenAI(api_key=key, base_url=f"{url}/v1")
                answer: Any = client.chat.completions.create(
                    model="stackspot", messages=[{"role": "user", "content": "Go"}], tools=CHAT_TOOLS, stream=stream
                )
            case "responses":
                client = openai.OpenAI(api_key=key, base_url=f"{url}/v1")
                answer = client.responses.create(model="stackspot", input="Go", tools=TOOLS[RESPONSES], stream=stream)
                failed = [event for event in answer if event.type == "response.failed"]
                assert failed
                raise openai.OpenAIError(failed[0].response.error.message)
            case _:
                answer = anthropic.Anthropic(api_key=key, base_url=url).messages.create(
                    model="stackspot",
                    max_tokens=100,
                    messages=[{"role": "user", "content": "Go"}],
                    tools=TOOLS[MESSAGES],
                    stream=stream,
                )
        list(answer)
    assert len(simulator.requests("/v1/agent/")) == 2


def test_a_schema_that_nothing_fits_is_asked_twice(caller: Caller, simulator: Simulator) -> None:
    reply = caller.ask(response_format=IMPOSSIBLE)
    assert (reply.status, reply.headers["x-should-retry"]) == (502, "false")
    assert len(simulator.requests("/v1/agent/")) == 2


def test_retries_and_corrections_share_four_attempts(caller: Caller, simulator: Simulator) -> None:
    simulator.faults({"status": 503, "times": 3}, {"times": 1}, {"status": 503})
    simulator.answer(UNREADABLE, READ)
    reply = caller.ask(tools=CHAT_TOOLS)
    assert reply.status == 502
    assert len(simulator.requests("/v1/agent/")) == 4


@both
@pytest.mark.parametrize("route", [CHAT, MESSAGES, RESPONSES])
def test_a_refusal_in_json_mode_reaches_the_client(
    caller: Caller, simulator: Simulator, route: str, stream: bool
) -> None:
    simulator.rule(REFUSAL, pattern=".")
    reply = caller.ask(route, stream=stream, **AS_JSON[route])
    assert reply.status == 200
    assert "can't help with that" in reply.raw
    if route == CHAT:
        places = [choice["delta" if stream else "message"] for choice in reply.choices]
        assert "".join(place.get("refusal") or "" for place in places) == REFUSAL
        assert reply.text == ""
