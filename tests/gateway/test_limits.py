"""Limits that StackSpot does not have, through the proxy: stop texts, a longest answer, a longest prompt."""

import re
from typing import Any

import pytest

from custom_handlers.emulation.tokenizer import count
from simulator.client import Simulator
from tests.gateway.calling import CHAT, COMPLETIONS, MESSAGES, RESPONSES, ROUTES, Caller, Failure, Reply
from tests.gateway.conftest import LEARNING, SMALL, SMALL_LIMIT

streamed_and_not = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
every_route = pytest.mark.parametrize("route", ROUTES)

# Responses knows no stop texts.
STOP = {CHAT: "stop", COMPLETIONS: "stop", MESSAGES: "stop_sequences"}
MOST = {CHAT: "max_tokens", COMPLETIONS: "max_tokens", MESSAGES: "max_tokens", RESPONSES: "max_output_tokens"}
STOPPED = {CHAT: "stop", COMPLETIONS: "stop", MESSAGES: "stop_sequence"}
CUT = {CHAT: "length", COMPLETIONS: "length", MESSAGES: "max_tokens", RESPONSES: "incomplete"}
TAIL = "and on and on " * 2000


def named(names: dict[str, str], route: str, value: Any) -> dict[str, Any]:
    return {names[route]: value}


def finish_of(reply: Reply) -> str | None:
    if reply.route == RESPONSES and reply.streamed:
        return str(reply.events[-1].data["response"]["status"])
    return reply.finish


def assert_upstream_was_closed(simulator: Simulator) -> None:
    """The stand-in had far more to say, and was not asked for it."""
    (record,) = simulator.wait_for(lambda records: bool(records and records[-1]["client_left"]), "/v1/agent/")
    assert not record["complete"]


@streamed_and_not
@pytest.mark.parametrize("route", STOP)
@pytest.mark.parametrize("pieces", ["characters", "whole"])
@pytest.mark.parametrize(
    ("stop", "before", "after"),
    [
        (["</end>"], "One </en two ", "</end> three"),
        # The one that is complete first counts, and of several that end together the longest.
        (["never", "STOP", "XSTOP"], "A STO P, an ST OP and ", "XSTOP and a STOP"),
        # A beginning that repeats itself.
        (["aab"], "aaXaaYaa", "aabaab"),
        (["\n\n"], "first line\nsecond ", "\n\nthird"),
        (["🧑‍💻"], "🧑 alone, ", "🧑‍💻!"),
    ],
    ids=["tag", "several", "repeated", "line ends", "joined emoji"],
)
def test_the_answer_ends_before_a_stop_text(
    caller: Caller,
    simulator: Simulator,
    route: str,
    stream: bool,
    pieces: str,
    stop: list[str],
    before: str,
    after: str,
) -> None:
    simulator.faults(pieces=pieces)
    simulator.answer(before + after + " the end")
    reply = caller.ask(route, stream=stream, **named(STOP, route, stop))
    assert (reply.status, reply.failure) == (200, None)
    assert (reply.text, reply.finish) == (before, STOPPED[route])


@streamed_and_not
@pytest.mark.parametrize("route", STOP)
def test_what_follows_a_stop_text_is_not_waited_for(
    caller: Caller, simulator: Simulator, route: str, stream: bool
) -> None:
    simulator.faults(delta_delay=0.01)
    simulator.answer(f"Before. STOP {TAIL}")
    reply = caller.ask(route, stream=stream, **named(STOP, route, ["STOP"]))
    assert (reply.text, reply.finish) == ("Before. ", STOPPED[route])
    assert_upstream_was_closed(simulator)


@streamed_and_not
def test_a_stop_text_as_a_string(caller: Caller, simulator: Simulator, stream: bool) -> None:
    simulator.faults(pieces="characters")
    simulator.answer("Before. STOP after.")
    assert caller.ask(stream=stream, stop="STOP").text == "Before. "


@streamed_and_not
@pytest.mark.parametrize("stop", [["STOPPED", "top"], [], "", [""], None])
def test_what_only_looks_like_a_stop_sequence_is_emitted(
    caller: Caller, simulator: Simulator, stop: Any, stream: bool
) -> None:
    simulator.faults(pieces="characters")
    simulator.answer("All of S.T.O.P and STOPPE")
    reply = caller.ask(stream=stream, stop=stop)
    assert (reply.text, reply.finish) == ("All of S.T.O.P and STOPPE", "stop")


@streamed_and_not
@every_route
def test_an_answer_is_cut_at_max_tokens(caller: Caller, simulator: Simulator, route: str, stream: bool) -> None:
    text = " ".join(f"word{number} ünïcödé 日本語" for number in range(3000))
    simulator.faults(delta_delay=0.005)
    simulator.answer(text)
    reply = caller.ask(route, stream=stream, **named(MOST, route, 200))
    assert (reply.status, reply.failure, finish_of(reply)) == (200, None, CUT[route])
    assert text.startswith(reply.text)
    assert count(reply.text) == pytest.approx(200, rel=0.03)
    assert_upstream_was_closed(simulator)
    if not stream:
        assert reply.usage is not None
        assert reply.usage["output"] == pytest.approx(200, rel=0.03)
        assert reply.usage["input"] > 0
    if route == RESPONSES:
        body = reply.events[-1].data["response"] if stream else reply.body
        assert body["incomplete_details"] == {"reason": "max_output_tokens"}


@streamed_and_not
@every_route
def test_an_answer_within_max_tokens_is_whole(caller: Caller, simulator: Simulator, route: str, stream: bool) -> None:
    simulator.answer("Short and whole.")
    reply = caller.ask(route, stream=stream, **named(MOST, route, 20))
    assert reply.text == "Short and whole."
    assert finish_of(reply) not in (CUT[route], None)


def test_max_completion_tokens_is_max_tokens(caller: Caller, simulator: Simulator) -> None:
    simulator.answer("word " * 100)
    reply = caller.ask(max_completion_tokens=20)
    assert (reply.finish, reply.text.count("word")) == ("length", 20)


# What the clients look for, as their published sources and programs have it.
CLAUDE_CODE = re.compile(r"prompt is too long[^0-9]*(\d+)\s*tokens?\s*>\s*(\d+)", re.IGNORECASE)
OPENAI_CLIENTS = re.compile(r"maximum context length is (\d+) tokens")


def overflow_of(reply: Reply) -> tuple[int, int]:
    """Tokens and limit of an error that every known client takes for a context overflow."""
    failure = reply.failure
    assert isinstance(failure, Failure)
    found, openai = CLAUDE_CODE.search(failure.message), OPENAI_CLIENTS.search(failure.message)
    assert found is not None
    assert openai is not None
    assert openai[1] == found[2]
    if reply.streamed:
        # LiteLLM has sent the status by then, so what counts is the event.
        assert reply.route in (MESSAGES, RESPONSES)
        assert (reply.status, reply.text) == (200, "")
        told = (failure.type if reply.route == MESSAGES else failure.code, reply.events[-1].name)
        assert (
            told
            == {
                MESSAGES: ("invalid_request_error", "error"),  # Claude Code's mode
                RESPONSES: ("context_length_exceeded", "response.failed"),  # Codex's mode and code
            }[reply.route]
        )
    else:
        assert reply.status == 400
        assert "ContextWindowExceededError" in failure.message  # by which LiteLLM's own clients, aider too, know it
    return int(found[1]), int(found[2])


@streamed_and_not
@every_route
def test_a_prompt_beyond_max_input_tokens_is_refused_before_stackspot_is_asked(
    extra_caller: Caller, simulator: Simulator, route: str, stream: bool
) -> None:
    simulator.answer("Fits.")
    assert extra_caller.ask(route, SMALL, "word " * (SMALL_LIMIT - 20), stream=stream).text == "Fits."
    simulator.clear()
    reply = extra_caller.ask(route, SMALL, "word " * (SMALL_LIMIT + 20), stream=stream)
    tokens, limit = overflow_of(reply)
    assert limit == SMALL_LIMIT
    assert tokens == pytest.approx(SMALL_LIMIT + 20, abs=5)
    assert simulator.requests() == []


@streamed_and_not
@pytest.mark.parametrize("route", [CHAT, MESSAGES, RESPONSES])
def test_tools_and_transcript_count_too(extra_caller: Caller, simulator: Simulator, route: str, stream: bool) -> None:
    schema = {"type": "object", "properties": {f"property_{n}": {"type": "string"} for n in range(SMALL_LIMIT)}}
    function = {"name": "look", "description": "Looks."}
    tool = {
        CHAT: {"type": "function", "function": {**function, "parameters": schema}},
        MESSAGES: {**function, "input_schema": schema},
        RESPONSES: {"type": "function", **function, "parameters": schema},
    }[route]
    assert overflow_of(extra_caller.ask(route, SMALL, "Hi", stream=stream, tools=[tool]))[1] == SMALL_LIMIT
    assert simulator.requests() == []


def test_the_limit_is_learned_from_stackspot_s_refusal(extra_caller: Caller, simulator: Simulator) -> None:
    """StackSpot is asked once; whatever it would refuse as well is refused here, and what fits is asked."""
    long = "word " * 3000
    simulator.answer("Not learned yet.")
    assert extra_caller.ask(model=LEARNING, prompt=long).text == "Not learned yet."
    simulator.clear()
    simulator.faults(token_limit=2000)
    tokens, limit = overflow_of(extra_caller.ask(MESSAGES, LEARNING, long, stream=True))
    assert (limit, len(simulator.requests("/v1/agent/"))) == (2000, 1)
    assert tokens > limit
    simulator.clear()
    assert overflow_of(extra_caller.ask(RESPONSES, LEARNING, long, stream=True))[1] == 2000
    assert overflow_of(extra_caller.ask(CHAT, LEARNING, long))[1] == 2000
    assert simulator.requests() == []
    simulator.answer("Fits.")
    assert extra_caller.ask(model=LEARNING, prompt="word " * 1000).text == "Fits."
    # A smaller limit that the configuration sets for the same agent still holds.
    assert overflow_of(extra_caller.ask(model=SMALL, prompt="word " * 1000))[1] == SMALL_LIMIT


def test_a_limit_learned_from_one_agent_is_not_another_s(extra_caller: Caller, simulator: Simulator) -> None:
    simulator.faults(token_limit=2000)
    overflow_of(extra_caller.ask(model=LEARNING, prompt="word " * 3000))
    simulator.no_faults()
    simulator.answer("Fits.")
    assert extra_caller.ask(model="stackspot-code", prompt="word " * 3000).text == "Fits."
