"""Wrong types anywhere in a request: one 400 that names the place, and never a 500 of LiteLLM's.

tests/unit/custom_handlers/guard/test_wrong_types.py tries all of them without LiteLLM; here a part goes through the
whole gateway.
"""

from typing import Any

import pytest

from simulator.client import Simulator
from tests.gateway.asking import prompt_of, refusal_of
from tests.gateway.calling import CHAT, COMPLETIONS, MESSAGES, PATHS, RESPONSES, ROUTES, Caller
from tests.gateway.tooling import tools
from tests.sampling import all_cases
from tests.unit.custom_handlers.guard.places import WRONG, places

# One request in so many: some hundred a route, in `make test` a third of them. Neither has a divisor in common with the
# number of wrong values, so that each of those is tried.
EVERY = 37 if all_cases() else 113


@pytest.mark.parametrize("route", ROUTES)
def test_wrong_types_never_end_in_a_server_error(caller: Caller, simulator: Simulator, route: str) -> None:
    bodies = [(place, place.holding(wrong)) for place in places(route) for wrong in WRONG]
    # Every body that leads to an answer asks for the tool `f`, if for any.
    simulator.rule('<tool_call>{"name": "f", "arguments": {}}</tool_call>', when="`f`")
    for place, body in bodies[:: EVERY if route != COMPLETIONS else EVERY // 37]:
        response = caller.post(PATHS[route], json=body)
        if response.status_code == 502 and "did not call" in response.text:
            continue  # the tool had another name by then: what was asked is right, and the model did not do it
        assert response.status_code in (200, 400), (str(place), body, response.text)
        if response.status_code == 400:
            assert "`" in response.json()["error"]["message"], (str(place), body, response.text)


def test_nor_where_tokens_are_counted(caller: Caller) -> None:
    bodies = [(place, place.holding(wrong)) for place in places(MESSAGES) for wrong in WRONG]
    for place, body in bodies[::EVERY]:
        response = caller.post("/v1/messages/count_tokens", json=body)
        assert response.status_code in (200, 400), (str(place), body, response.text)
        if response.status_code == 400:
            assert "`" in response.json()["error"]["message"], (str(place), body, response.text)
        else:
            assert response.json()["input_tokens"] > 0


CASES: list[tuple[str, dict[str, Any], str]] = [
    *((route, {"messages": [{"role": "user", "content": 5}]}, "messages[0].content") for route in (CHAT, MESSAGES)),
    *((route, {"messages": [5]}, "messages") for route in (CHAT, MESSAGES)),
    *((route, {"messages": []}, "messages") for route in (CHAT, MESSAGES)),
    *((route, {"messages": None}, "messages") for route in (CHAT, MESSAGES)),
    *((route, {"messages": [{"content": "Hi"}]}, "messages[0].role") for route in (CHAT, MESSAGES)),
    *((route, {"messages": [{"role": "oracle", "content": "Hi"}]}, "messages[0].role") for route in (CHAT, MESSAGES)),
    *(
        (route, {"messages": [{"role": "user", "content": [{"type": "odd"}]}]}, "messages[0].content[0]")
        for route in (CHAT, MESSAGES)
    ),
    *((route, {"tools": {}}, "tools") for route in (CHAT, MESSAGES, RESPONSES)),
    *((route, {"tools": [5]}, "tools") for route in (CHAT, MESSAGES, RESPONSES)),
    *((route, {"stream": "yes"}, "stream") for route in ROUTES),
    *((route, {"temperature": "hot"}, "temperature") for route in ROUTES),
    *((route, {"temperature": 9}, "temperature") for route in ROUTES),
    (RESPONSES, {"input": 5}, "input"),
    (RESPONSES, {"input": [5]}, "input[0]"),
    (RESPONSES, {"input": []}, "input"),
    (RESPONSES, {"input": [{"role": "user", "content": 5}]}, "input[0].content"),
    (RESPONSES, {"input": [{"role": "user", "content": [{"type": "odd"}]}]}, "input[0].content[0]"),
    (RESPONSES, {"input": [{"type": "function_call_output", "output": "x"}]}, "input[0].call_id"),
    (RESPONSES, {"input": [{"type": "function_call", "call_id": "c"}]}, "input[0].name"),
    (RESPONSES, {"max_output_tokens": "many"}, "max_output_tokens"),
    (RESPONSES, {"text": {"format": "json"}}, "text.format"),
    (CHAT, {"response_format": "json"}, "response_format"),
    (CHAT, {"tool_choice": 5}, "tool_choice"),
    (CHAT, {"messages": [{"role": "assistant", "tool_calls": 5}]}, "messages[0].tool_calls"),
    (CHAT, {"messages": [{"role": "assistant", "tool_calls": [{"id": "c"}]}]}, "messages[0].tool_calls[0]"),
    (MESSAGES, {"tool_choice": "auto"}, "tool_choice"),
    (MESSAGES, {"thinking": "much"}, "thinking"),
    (MESSAGES, {"system": [{"type": "image"}]}, "system[0]"),
    (MESSAGES, {"stop_sequences": "x"}, "stop_sequences"),
    (MESSAGES, {"max_tokens": 0}, "max_tokens"),
    (COMPLETIONS, {"prompt": ""}, "prompt"),
    (COMPLETIONS, {"prompt": []}, "prompt"),
    (COMPLETIONS, {"prompt": [1, 2]}, "prompt"),
    (COMPLETIONS, {"prompt": [[1, 2]]}, "prompt"),
    (COMPLETIONS, {"prompt": ["a", "b"]}, "prompt"),
    (COMPLETIONS, {"echo": True}, "echo"),
    (COMPLETIONS, {"best_of": 3}, "best_of"),
    *((route, {"stop" if route != MESSAGES else "stop_sequences": ["x"] * 17}, "stop") for route in ROUTES[:3]),
]


@pytest.mark.parametrize(("route", "fields", "place"), CASES, ids=lambda value: str(value)[:60])
def test_a_refusal_names_the_place(
    caller: Caller, simulator: Simulator, route: str, fields: dict[str, Any], place: str
) -> None:
    if place == "stream":
        reply = caller.ask(route, **fields)
        assert reply.status == 400
        assert "`stream`" in reply.raw
        return
    failure = refusal_of(caller, simulator, route, **fields)
    assert f"`{place}" in failure.message
    assert route == MESSAGES or str(failure.param).startswith(place)


def test_what_is_sent_in_another_surface_s_words_is_read(caller: Caller, simulator: Simulator) -> None:
    """Parts of Responses on chat and the other way round: harmless, and some clients do it."""
    said = [{"type": "input_text", "text": "One."}, "Two.", {"text": "Three."}]
    for route in (CHAT, RESPONSES):
        prompt = prompt_of(caller, simulator, route, [{"role": "user", "content": said}])
        assert [prompt.index(word) for word in ("One.", "Two.", "Three.")]


@pytest.mark.parametrize("route", ROUTES[:3])
@pytest.mark.parametrize("stream", [False, True])
def test_every_stop_text_counts(caller: Caller, simulator: Simulator, route: str, stream: bool) -> None:
    """LiteLLM drops all from the fifth on unless it is told not to."""
    stops = [f"<stop-{number}>" for number in range(16)]
    for stop in (stops[4], stops[15]):
        simulator.answer(f"Before{stop}behind")
        fields: dict[str, Any] = {"stop_sequences" if route == MESSAGES else "stop": stops}
        assert caller.ask(route, stream=stream, **fields).text == "Before"


def test_tools_survive_the_check(caller: Caller, simulator: Simulator) -> None:
    for route in (CHAT, MESSAGES, RESPONSES):
        prompt = prompt_of(caller, simulator, route, tools=tools(route))
        assert "## look" in prompt
        assert '"required":["at"]' in prompt


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("offered", [None, tools(MESSAGES)], ids=["plain", "tools"])
def test_messages_say_which_stop_text_ended_an_answer(
    caller: Caller, simulator: Simulator, stream: bool, offered: Any
) -> None:
    def ask(text: str) -> tuple[Any, Any]:
        simulator.answer(text)
        fields = {"tools": offered} if offered else {}
        reply = caller.ask(MESSAGES, stream=stream, stop_sequences=["HALT", "STOP"], **fields)
        told = next(event.data["delta"] for event in reply.events if event.name == "message_delta") if stream else None
        told = told or reply.body
        assert reply.text.strip() == "Before"
        return told["stop_reason"], told.get("stop_sequence")

    assert ask("Before STOP behind HALT") == ("stop_sequence", "STOP")
    assert ask("Before") == ("end_turn", None)
