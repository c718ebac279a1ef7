"""The three models under all six names, on every route, streamed and not (issue A: "What a user gets")."""

import time
from typing import Any

import pytest

from simulator.client import Simulator
from tests.gateway.calling import CHAT, COMPLETIONS, MESSAGES, RESPONSES, ROUTES, ROUTES_WITH_STATUS, Caller, Reply
from tests.harness import AGENTS, ALIASES, ALL_NAMES

streamed_and_not = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
every_route = pytest.mark.parametrize("route", ROUTES)

WITH_USAGE: dict[str, Any] = {"stream_options": {"include_usage": True}}
FINISHED = {CHAT: "stop", COMPLETIONS: "stop", MESSAGES: "end_turn", RESPONSES: "completed"}
# White space at both ends, characters of one to four bytes, of two UTF-16 units and of several, marks of SSE and JSON.
AWKWARD = '  \n\nOlá – "naïve" 日本語 🧑‍💻 \\n data: [DONE]\n\n```py\r\n\tx = {"a": [1]}\n```\n\n  '


def chats(simulator: Simulator) -> list[dict[str, Any]]:
    return simulator.requests("/v1/agent/")


def usage_asked_for(route: str, stream: bool) -> dict[str, Any]:
    return WITH_USAGE if stream and route in ROUTES_WITH_STATUS else {}


def test_all_names_are_listed(caller: Caller) -> None:
    listed = caller.http.get("/v1/models").json()["data"]
    assert sorted(model["id"] for model in listed) == sorted(ALL_NAMES)


@streamed_and_not
@every_route
@pytest.mark.parametrize("name", ALL_NAMES)
def test_every_name_answers_on_every_route(
    caller: Caller, simulator: Simulator, name: str, route: str, stream: bool
) -> None:
    reply = caller.ask(route, name, f"Who are you, {name}?", stream=stream, **usage_asked_for(route, stream))
    (record,) = chats(simulator)
    assert (reply.status, reply.failure, reply.streamed) == (200, None, stream)
    assert record["path"] == f"/v1/agent/{AGENTS[ALIASES.get(name, name)]}/chat"
    assert record["body"]["user_prompt"] == f"Who are you, {name}?"
    assert record["complete"]
    assert reply.text == record["answer"]
    assert reply.usage == record["usage"]
    assert reply.finish == FINISHED[route]
    # In the events of a Responses stream LiteLLM puts the model's own name.
    assert reply.model == (ALIASES.get(name, name) if (route, stream) == (RESPONSES, True) else name)


@pytest.mark.parametrize("pieces", ["tokens", "characters", "surrogates", "whole"])
@every_route
def test_the_same_text_streamed_and_not(caller: Caller, simulator: Simulator, route: str, pieces: str) -> None:
    simulator.rule(AWKWARD, pattern=".")
    simulator.faults(pieces=pieces, cut_bytes=7)
    assert caller.ask(route, stream=True).text == caller.ask(route).text == AWKWARD


def test_a_plain_answer_has_what_openai_s_clients_expect(caller: Caller) -> None:
    body = caller.ask(model="stackspot-code").body
    (choice,) = body["choices"]
    assert body["object"] == "chat.completion"
    assert body["id"].startswith("chatcmpl-")
    assert abs(body["created"] - time.time()) < 600
    assert (choice["index"], choice["finish_reason"], choice["message"]["role"]) == (0, "stop", "assistant")
    usage = body["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert caller.ask().body["id"] != body["id"]


@pytest.mark.parametrize(("route", "kind"), [(CHAT, "chat.completion.chunk"), (COMPLETIONS, "text_completion")])
def test_the_chunks_of_a_stream_belong_together(caller: Caller, simulator: Simulator, route: str, kind: str) -> None:
    simulator.answer({"pieces": ["one ", "two ", "three"]})
    simulator.faults(delta_delay=0.02)
    reply = caller.ask(route, stream=True)
    chunks = [event.data for event in reply.events]
    assert len(chunks) > 2
    assert {(chunk["id"], chunk["created"], chunk["model"], chunk["object"]) for chunk in chunks} == {
        (chunks[0]["id"], chunks[0]["created"], "stackspot", kind)
    }
    assert chunks[0]["id"].startswith("chatcmpl-")
    assert reply.done
    assert [chunk["choices"][0].get("finish_reason") for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    if route == CHAT:
        assert [choice["delta"].get("role") for choice in reply.choices] == ["assistant"] + [None] * (len(chunks) - 1)


def test_a_stream_is_passed_on_as_it_comes(caller: Caller, simulator: Simulator) -> None:
    """The first piece is there while StackSpot is still silent about the rest."""
    simulator.faults(stall_after=1)
    body = {"model": "stackspot", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    with caller.http.stream("POST", "/v1/chat/completions", json=body) as response:
        first = next(line for line in response.iter_lines() if line.startswith("data: "))
        (record,) = chats(simulator)
    assert '"content":"Hello!"' in first
    assert not record["complete"]


@pytest.mark.parametrize("route", ROUTES_WITH_STATUS)
def test_a_stream_tells_its_usage_once_and_only_when_asked(caller: Caller, simulator: Simulator, route: str) -> None:
    told = caller.ask(route, stream=True, **WITH_USAGE)
    with_numbers = [event.data for event in told.events if (event.data.get("usage") or {}).get("total_tokens")]
    (record, *_) = chats(simulator)
    assert with_numbers == [told.events[-1].data]
    assert with_numbers[0]["usage"]["total_tokens"] == record["usage"]["input"] + record["usage"]["output"]
    assert caller.ask(route, stream=True).usage is None
    assert caller.ask(route, stream=True, stream_options={"include_usage": False}).usage is None


@streamed_and_not
@pytest.mark.parametrize(
    "switches", [{"usage": "input"}, {"usage": "user"}, {"usage": "nulls"}, {"usage_as_strings": True}]
)
def test_usage_is_stackspot_s(caller: Caller, simulator: Simulator, switches: dict[str, Any], stream: bool) -> None:
    simulator.faults(**switches)
    simulator.answer({"text": "An answer.", "usage": {"input": 1234, "output": 567}})
    assert caller.ask(stream=stream, **WITH_USAGE).usage == {"input": 1234, "output": 567}


@every_route
@pytest.mark.parametrize("form", ["absent", "null"])
def test_usage_is_counted_where_stackspot_sends_none(
    caller: Caller, simulator: Simulator, route: str, form: str
) -> None:
    simulator.faults(usage=form)
    simulator.rule("An answer of some length, so that there is something to count.", pattern=".")
    plain, streamed = (
        caller.ask(route, prompt="How many words? " * 20, stream=stream, **usage_asked_for(route, stream))
        for stream in (False, True)
    )
    assert [record["usage"] for record in chats(simulator)] == [None, None]
    assert plain.usage is not None
    assert plain.usage == streamed.usage
    assert 60 <= plain.usage["input"] <= 120
    assert 10 <= plain.usage["output"] <= 20


@streamed_and_not
def test_counting_never_costs_the_answer(caller: Caller, simulator: Simulator, stream: bool) -> None:
    """LiteLLM's own count of messages raises for a custom tool's call."""
    call = {"id": "c1", "type": "custom", "custom": {"name": "look", "input": "around"}}
    turns = [
        {"role": "user", "content": "Look."},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "Nothing."},
    ]
    simulator.faults(usage="absent")
    reply = caller.ask(prompt=turns, stream=stream, **WITH_USAGE)
    assert (reply.status, reply.failure, reply.finish) == (200, None, "stop")
    assert reply.usage is not None
    assert min(reply.usage.values()) > 0


A_TOOL = {
    "type": "function",
    "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object", "properties": {}}},
}
# One value of everything in OpenAI's reference of chat completions, and what other clients send beside it.
ACCEPTED: dict[str, Any] = {
    "temperature": 0,
    "top_p": 0.5,
    "max_tokens": 55,
    "max_completion_tokens": 55,
    "n": 1,
    "stop": ["END", "STOP"],
    "presence_penalty": 1.5,
    "frequency_penalty": -1.5,
    "logit_bias": {"50256": -100},
    "logprobs": True,
    "top_logprobs": 5,
    "seed": 7,
    "user": "someone",
    "safety_identifier": "someone",
    "prompt_cache_key": "a-key",
    "prompt_cache_retention": "24h",
    "metadata": {"purpose": "test"},
    "store": True,
    "service_tier": "auto",
    "reasoning_effort": "high",
    "verbosity": "low",
    "modalities": ["text"],
    "prediction": {"type": "content", "content": "Hello"},
    "response_format": {"type": "text"},
    "stream_options": {"include_usage": True},
    "web_search_options": {},
    "tools": [A_TOOL],
    "tool_choice": "auto",
    "parallel_tool_calls": False,
    "functions": [A_TOOL["function"]],
    "function_call": "auto",
    # not OpenAI's
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "top_k": 40,
    "min_p": 0.1,
    "repetition_penalty": 1.1,
    "chat_template_kwargs": {"enable_thinking": False},
    "safety_settings": [],
    "a_field_that_nobody_knows": {"a": [1]},
}
ACCEPTED_ELSEWHERE: dict[str, dict[str, Any]] = {
    COMPLETIONS: {
        **{
            name: ACCEPTED[name]
            for name in ("temperature", "top_p", "max_tokens", "stop", "seed", "user", "logit_bias")
        },
        "best_of": 1,
        "echo": False,
        "suffix": "the end",
        "logprobs": 3,
        "presence_penalty": 1,
    },
    MESSAGES: {
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "temperature": 1,
        "top_p": 0.5,
        "top_k": 40,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "someone"},
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "service_tier": "auto",
        "tools": [{"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}}],
        "tool_choice": {"type": "auto"},
        "a_field_that_nobody_knows": 1,
    },
    RESPONSES: {
        "instructions": "Be brief.",
        "temperature": 1,
        "top_p": 0.5,
        "max_output_tokens": 55,
        "reasoning": {"effort": "high", "summary": "auto"},
        "text": {"format": {"type": "text"}, "verbosity": "low"},
        "tools": [{"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "include": ["reasoning.encrypted_content"],
        "store": False,
        "truncation": "auto",
        "metadata": {"purpose": "test"},
        "user": "someone",
        "prompt_cache_key": "a-key",
        "service_tier": "auto",
    },
}


def assert_answered(reply: Reply, simulator: Simulator) -> None:
    (record,) = chats(simulator)
    assert (reply.status, reply.failure, reply.finish) == (200, None, FINISHED[reply.route])
    assert reply.text == record["answer"]
    assert record["unknown_fields"] == []


@streamed_and_not
@pytest.mark.parametrize("name", ACCEPTED)
def test_what_openai_s_clients_send_is_accepted(caller: Caller, simulator: Simulator, name: str, stream: bool) -> None:
    assert_answered(caller.ask(stream=stream, **{name: ACCEPTED[name]}), simulator)


@streamed_and_not
def test_all_of_it_at_once_is_accepted(caller: Caller, simulator: Simulator, stream: bool) -> None:
    together = {name: value for name, value in ACCEPTED.items() if name not in ("functions", "function_call")}
    assert_answered(caller.ask(stream=stream, **together), simulator)


@streamed_and_not
def test_nulls_count_as_absent(caller: Caller, simulator: Simulator, stream: bool) -> None:
    nulls: dict[str, Any] = dict.fromkeys(ACCEPTED)
    assert_answered(caller.ask(stream=stream, **nulls), simulator)


@streamed_and_not
@pytest.mark.parametrize("route", ACCEPTED_ELSEWHERE)
def test_what_clients_of_the_other_routes_send_is_accepted(
    caller: Caller, simulator: Simulator, route: str, stream: bool
) -> None:
    assert_answered(caller.ask(route, stream=stream, **ACCEPTED_ELSEWHERE[route]), simulator)


REFUSED: dict[str, tuple[Any, str]] = {
    "temperature": (1.01, "0.0 to 1.0"),
    "top_p": (-0.1, "0.0 to 1.0"),
    "max_tokens": (0, "from 1"),
    "presence_penalty": (2.5, "-2.0 to 2.0"),
    "frequency_penalty": ("much", "-2.0 to 2.0"),
    "n": (2, "must be 1"),
    "stop": ([1], "strings"),
    "messages": ([], "at least one message"),
}


@streamed_and_not
@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_parameter_is_named_with_its_range(caller: Caller, simulator: Simulator, name: str, stream: bool) -> None:
    value, known = REFUSED[name]
    reply = caller.ask(stream=stream, **{name: value})
    failure = reply.failure
    assert failure is not None
    assert (reply.status, failure.type, failure.param, failure.code) == (400, "invalid_request_error", name, "400")
    assert f"`{name}`" in failure.message
    assert known in failure.message
    assert chats(simulator) == []


@streamed_and_not
@pytest.mark.parametrize(
    "value", ["0.5", True, None, float(2)], ids=["text", "boolean", "null, which is absent", "above the range"]
)
def test_a_temperature_is_a_number(caller: Caller, value: Any, stream: bool) -> None:
    assert caller.ask(stream=stream, temperature=value).status == (200 if value is None else 400)


@every_route
def test_bad_parameters_are_refused_on_every_route(caller: Caller, simulator: Simulator, route: str) -> None:
    reply = caller.ask(route, temperature=1.5)
    assert reply.status == 400
    assert reply.failure is not None
    assert "`temperature` must be a number from 0.0 to 1.0" in reply.failure.message
    assert chats(simulator) == []


@streamed_and_not
@pytest.mark.parametrize("prompt", [["one", "two"], [1, 2], [[1, 2]], [], {"text": "one"}, 7], ids=str)
def test_a_completion_is_of_one_text(caller: Caller, simulator: Simulator, prompt: Any, stream: bool) -> None:
    reply = caller.ask(COMPLETIONS, prompt=prompt, stream=stream)
    assert reply.failure is not None
    assert (reply.status, reply.failure.type, reply.failure.param) == (400, "invalid_request_error", "prompt")
    assert "`prompt` must be one text" in reply.failure.message
    assert chats(simulator) == []
    assert caller.ask(COMPLETIONS, prompt=["one"], stream=stream).text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/embeddings", {"input": "some text"}),
        ("/v1/images/generations", {"prompt": "a picture"}),
        ("/v1/images/edits", None),
    ],
)
def test_embeddings_and_images_are_refused(caller: Caller, simulator: Simulator, path: str, body: Any) -> None:
    if body is None:
        picture = {"image": ("a.png", b"\x89PNG\r\n", "image/png")}
        response = caller.post(path, data={"model": "stackspot", "prompt": "a picture"}, files=picture)
    else:
        response = caller.post(path, json={"model": "stackspot", **body})
    error = response.json()["error"]
    assert (response.status_code, error["type"], error["code"]) == (400, "invalid_request_error", "400")
    assert "StackSpot serves chat only" in error["message"]
    assert simulator.requests() == []
