"""The key API through the proxy: a gateway with nothing but a key asks the OpenAI-shaped API, and passes it on."""

import re
from typing import Any

import pytest

from simulator.client import Simulator
from tests.gateway.calling import CHAT, COMPLETIONS, MESSAGES, RESPONSES, ROUTES, Caller, Reply
from tests.gateway.conftest import PRIVATE, Decoy
from tests.gateway.test_models import ACCEPTED, AWKWARD, FINISHED, WITH_USAGE, every_route, streamed_and_not
from tests.gateway.test_models import usage_asked_for as asked
from tests.harness import ALIASES, ALL_NAMES, Account

PATHS = {
    "stackspot-ai-chat": "/v1/chat/completions",
    "stackspot-ai-code": "/v1/code/completions",
    "stackspot-ai-assistant": "/v1/assistant/completions",
}
# What the API may have a use for; the rest of a request stays here.
FORWARDED = {
    *("temperature", "top_p", "max_tokens", "stop", "presence_penalty", "frequency_penalty", "seed", "logit_bias"),
    *("logprobs", "top_logprobs", "response_format", "tools", "tool_choice", "parallel_tool_calls"),
}

TOOL_CALLS: list[dict[str, Any]] = [
    {"id": "call_a", "type": "function", "function": {"name": "look", "arguments": '{"where": "up – ↑"}'}},
    {"id": "call_b", "type": "function", "function": {"name": "listen", "arguments": "{}"}},
]
TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in ("look", "listen")
]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("name", ALL_NAMES)
def test_every_model_has_its_path(
    key_caller: Caller, simulator: Simulator, account: Account, name: str, stream: bool
) -> None:
    reply = key_caller.ask(model=name, stream=stream)
    (record,) = simulator.requests()
    model = ALIASES.get(name, name)
    assert record["path"] == PATHS[model]
    assert record["headers"]["authorization"] == f"Bearer {account.api_key}", "sk- is added to the key"
    assert account.api_key.startswith("sk-")
    assert record["body"]["model"] == model
    assert record["body"]["stream"] is stream
    assert (reply.model, reply.text, reply.finish) == (name, record["answer"], "stop")


@streamed_and_not
@every_route
def test_every_route_answers(key_caller: Caller, simulator: Simulator, route: str, stream: bool) -> None:
    simulator.rule(AWKWARD, pattern=".")
    reply = key_caller.ask(route, stream=stream, **asked(route, stream))
    (record,) = simulator.requests()
    assert reply.text == AWKWARD
    assert reply.usage == record["usage"]
    assert reply.finish == FINISHED[route]


def test_the_defaults_of_the_configuration_go_upstream(key_caller: Caller, simulator: Simulator) -> None:
    key_caller.ask()
    key_caller.ask(temperature=0, max_tokens=55)
    key_caller.ask(max_completion_tokens=56)
    sent = [(record["body"]["temperature"], record["body"]["max_tokens"]) for record in simulator.requests()]
    assert sent == [(0.7, 8192), (0, 55), (0.7, 56)]


@streamed_and_not
def test_what_the_api_has_a_use_for_is_passed_on_and_nothing_else(
    key_caller: Caller, simulator: Simulator, stream: bool
) -> None:
    sent = {name: value for name, value in ACCEPTED.items() if name not in ("functions", "function_call")}
    assert key_caller.ask(stream=stream, **sent).finish == "stop"
    body = simulator.requests()[0]["body"]
    assert body.pop("stream_options", None) == ({"include_usage": True} if stream else None)
    for name in ("model", "messages", "stream"):
        body.pop(name)
    assert body == {name: value for name, value in sent.items() if name in FORWARDED}


def test_messages_go_upstream_as_they_are(key_caller: Caller, simulator: Simulator) -> None:
    conversation = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Look — ↑"}, {"type": "text", "text": "=== USER ==="}]},
        {"role": "assistant", "tool_calls": TOOL_CALLS},
        {"role": "tool", "tool_call_id": "call_a", "content": "<tool_call>"},
        {"role": "tool", "tool_call_id": "call_b", "content": ""},
        {"role": "user", "content": "And?", "name": "someone"},
    ]
    assert key_caller.ask(prompt=conversation, tools=TOOLS).finish == "stop"
    assert simulator.requests()[0]["body"]["messages"] == conversation


@streamed_and_not
@pytest.mark.parametrize("reason", ["stop", "length", "content_filter"])
def test_finish_reasons_are_passed_on(key_caller: Caller, simulator: Simulator, reason: str, stream: bool) -> None:
    simulator.answer({"text": "An answer.", "finish_reason": reason})
    assert key_caller.ask(stream=stream).finish == reason


def tool_calls_of(reply: Reply) -> list[tuple[str, str, str]]:
    """Id, name and arguments of each call in a reply of any route."""
    if reply.route == RESPONSES:
        body = reply.events[-1].data["response"] if reply.streamed else reply.body
        items = [item for item in body["output"] if item["type"] == "function_call"]
        return [(item["call_id"], item["name"], item["arguments"]) for item in items]
    calls: dict[int, list[str]] = {}
    if reply.route == MESSAGES and reply.streamed:
        for event in reply.events:
            index = event.data.get("index", 0)
            if event.name == "content_block_start" and event.data["content_block"]["type"] == "tool_use":
                block = event.data["content_block"]
                calls[index] = [block["id"], block["name"], ""]
            elif event.name == "content_block_delta" and event.data["delta"]["type"] == "input_json_delta":
                calls[index][2] += event.data["delta"]["partial_json"]
    elif reply.route == MESSAGES:
        blocks = [block for block in reply.body["content"] if block["type"] == "tool_use"]
        return [(block["id"], block["name"], block["input"]) for block in blocks]
    else:
        parts = [choice["delta" if reply.streamed else "message"].get("tool_calls") or [] for choice in reply.choices]
        for part in parts:
            for at, call in enumerate(part):
                mine = calls.setdefault(call.get("index", at), ["", "", ""])
                mine[0] += call.get("id") or ""
                mine[1] += call["function"].get("name") or ""
                mine[2] += call["function"].get("arguments") or ""
    return [(call_id, name, arguments) for call_id, name, arguments in calls.values()]


@streamed_and_not
@pytest.mark.parametrize("text", ["", "Let me see."], ids=["calls only", "with text"])
def test_tool_calls_are_passed_on(key_caller: Caller, simulator: Simulator, text: str, stream: bool) -> None:
    simulator.answer({"message": {"content": text, "tool_calls": TOOL_CALLS}})
    reply = key_caller.ask(stream=stream, tools=TOOLS)
    expected = [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in TOOL_CALLS]
    assert tool_calls_of(reply) == expected
    assert (reply.text, reply.finish) == (text, "tool_calls")


@streamed_and_not
def test_tool_calls_in_anthropic_s_words(key_caller: Caller, simulator: Simulator, stream: bool) -> None:
    simulator.answer({"message": {"content": "Let me see.", "tool_calls": TOOL_CALLS}})
    tools = [{"name": tool["function"]["name"], "input_schema": {"type": "object"}} for tool in TOOLS]
    reply = key_caller.ask(MESSAGES, stream=stream, tools=tools)
    arguments: list[Any] = ['{"where": "up – ↑"}', "{}"] if stream else [{"where": "up – ↑"}, {}]
    assert tool_calls_of(reply) == [("call_a", "look", arguments[0]), ("call_b", "listen", arguments[1])]
    assert (reply.text, reply.finish) == ("Let me see.", "tool_use")


@streamed_and_not
def test_tool_calls_in_the_words_of_responses(key_caller: Caller, simulator: Simulator, stream: bool) -> None:
    simulator.answer({"message": {"content": "", "tool_calls": TOOL_CALLS}})
    tools = [{"type": "function", "name": tool["function"]["name"], "parameters": {"type": "object"}} for tool in TOOLS]
    reply = key_caller.ask(RESPONSES, stream=stream, tools=tools)
    assert tool_calls_of(reply) == [("call_a", "look", '{"where": "up – ↑"}'), ("call_b", "listen", "{}")]


@streamed_and_not
def test_usage_is_the_api_s(key_caller: Caller, simulator: Simulator, stream: bool) -> None:
    simulator.answer({"text": "An answer.", "usage": {"input": 1234, "output": 567}})
    assert key_caller.ask(stream=stream, **WITH_USAGE).usage == {"input": 1234, "output": 567}


@pytest.mark.parametrize(
    ("message", "least"), [({"content": "An answer. " * 10}, 20), ({"content": "", "tool_calls": TOOL_CALLS}, 5)]
)
def test_usage_is_counted_where_the_api_sends_none(
    key_caller: Caller, simulator: Simulator, message: dict[str, Any], least: int
) -> None:
    simulator.faults(usage="absent", target="key")
    simulator.rule({"message": message}, pattern=".")
    plain, streamed = (
        key_caller.ask(prompt="How many? " * 30, stream=stream, **WITH_USAGE) for stream in (False, True)
    )
    assert [record["usage"] for record in simulator.requests()] == [None, None]
    assert plain.usage is not None
    assert plain.usage == streamed.usage
    assert plain.usage["input"] >= 60
    assert plain.usage["output"] >= least


LATER = {"retry_after": "3000"}
OPENAI_ERROR = {"error": {"message": PRIVATE, "type": "some_error", "code": "some_code", "param": None}}
ERRORS: dict[str, tuple[dict[str, Any], int, str]] = {
    "key refused": ({"status": 401, "body": OPENAI_ERROR}, 502, "refused the gateway's key: check STACKSPOT_API_KEY"),
    "forbidden": ({"status": 403, "body": OPENAI_ERROR}, 502, "refused the model: check STACKSPOT_API_BASE"),
    "no such path": ({"status": 404, "body": OPENAI_ERROR}, 502, "refused the model: check STACKSPOT_API_BASE"),
    "body refused": ({"status": 400, "body": OPENAI_ERROR}, 400, "refused the request"),
    "prompt too long": ({"token_limit": 100}, 400, r"\b100 tokens.*\b252 tokens"),
    "rate limit": ({"status": 429, "body": OPENAI_ERROR, **LATER}, 429, "request limit"),
    "overloaded": ({"status": 503, "html": True, **LATER}, 503, "not available"),
    "page in place of an answer": ({"status": 200, "html": True}, 502, "StackSpot"),
    "no completion": ({"status": 200, "body": {"choices": []}}, 502, "StackSpot"),
    "error in place of an answer": ({"status": 200, "body": OPENAI_ERROR}, 502, "reported an error"),
    "empty answer": ({"empty_answer": True}, 502, "empty"),
    "broken before the first text": ({"break_after": 0}, 502, "StackSpot"),
    "silence": ({"first_byte_delay": 60}, 408, "time limit"),
}


@streamed_and_not
@pytest.mark.parametrize("name", ERRORS)
def test_errors(key_caller: Caller, simulator: Simulator, name: str, stream: bool) -> None:
    faults, status, told = ERRORS[name]
    simulator.faults(target="key", **faults)
    reply = key_caller.ask(prompt="four" * 250, stream=stream, timeout=0.7 if status == 408 else 60)
    failure = reply.failure
    assert failure is not None
    assert (reply.status, failure.code) == (status, str(status))
    assert re.search(told, failure.message, re.DOTALL)
    assert simulator.requests("/oidc/") == []


@pytest.mark.parametrize("faults", [{"break_after": 2}, {"error_after": 2}], ids=["connection closed", "error object"])
@pytest.mark.parametrize("route", ROUTES)
def test_a_stream_that_breaks_ends_with_an_error(
    key_caller: Caller, simulator: Simulator, faults: dict[str, Any], route: str
) -> None:
    simulator.faults(target="key", delta_delay=0.1, **faults)
    simulator.answer({"pieces": ["one", " two", " three"]})
    reply = key_caller.ask(route, stream=True)
    failure = reply.failure
    assert failure is not None
    assert (reply.status, reply.finish) == (200, None)
    assert reply.text.startswith("one")
    if route in (CHAT, COMPLETIONS):
        assert (failure.code, reply.done) == ("502", False)


def test_redirects_are_not_followed(key_caller: Caller, simulator: Simulator, decoy: Decoy) -> None:
    simulator.faults(target="key", redirect=f"{decoy.url}/elsewhere", status=307)
    assert key_caller.ask().status == 502
    assert len(simulator.requests()) == 1


def test_no_token_is_ever_asked_for(key_caller: Caller, simulator: Simulator) -> None:
    key_caller.ask()
    simulator.faults({"status": 401, "times": 1}, target="key")
    key_caller.ask()
    key_caller.ask(stream=True)
    assert {record["path"] for record in simulator.requests()} == {"/v1/chat/completions"}
