"""The key API: OpenAI's answers, streamed or whole, in whatever shape they come."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_handlers.core.errors import ContextWindowExceededError, InvalidResponseError, StackSpotError
from custom_handlers.core.events import Delta, Event, Finish, Usage
from custom_handlers.upstream.key_api import ChatCompletionDecoder
from tests.lazily import lazily
from tests.unit.custom_handlers.reading import (
    LINE_ENDS,
    all_events,
    any_json,
    any_text,
    by_byte,
    cut,
    decoded,
    frame,
    named,
    places,
)

responses = lazily("custom_handlers.litellm_adapter.responses")
utils = lazily("litellm.types.utils")

CALL = {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": '{"path": "a.py"}'}}
USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
ASKED = [{"role": "user", "content": "Hi"}]


def chunk(delta: Any = None, reason: Any = None, usage: Any = None) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": reason}]
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": choices, "usage": usage}


def stream(*bodies: Any, end: bytes = b"\n") -> bytes:
    return b"".join(frame(body, end) for body in bodies)


def of_text(*texts: str) -> list[dict[str, Any]]:
    return [chunk({"role": "assistant", "content": ""}), *(chunk({"content": text}) for text in texts)]


STOP = chunk({}, "stop")
LAST = [STOP, chunk(usage=USAGE), "[DONE]"]

# Anything in the fields that matter, often enough what is expected there.
functions = any_json | st.fixed_dictionaries(
    {}, optional={"name": any_text | any_json, "arguments": any_text | any_json}
)
calls = any_json | st.fixed_dictionaries(
    {}, optional={"index": st.integers(0, 3) | any_json, "id": any_text | any_json, "function": functions}
)
deltas = any_json | st.fixed_dictionaries(
    {},
    optional={
        "content": any_text | any_text | any_json,
        "tool_calls": any_json | st.lists(calls, max_size=3),
        "function_call": functions,
        "refusal": any_text | any_json,
        "reasoning_content": any_text | any_json,
    },
)
choices = any_json | st.fixed_dictionaries(
    {}, optional={"delta": deltas, "message": deltas, "finish_reason": st.sampled_from(["stop", "odd"]) | any_json}
)
objects = st.fixed_dictionaries(
    {},
    optional={
        "choices": any_json | st.lists(choices, max_size=2),
        "usage": any_json | st.dictionaries(st.sampled_from([*USAGE]), any_json),
        "error": any_json,
    },
)
frames = st.one_of(
    st.builds(frame, objects, st.sampled_from(LINE_ENDS), st.sampled_from(["", "", "", "error"])),
    st.builds(frame, deltas.map(chunk), st.sampled_from(LINE_ENDS)),
    st.sampled_from([frame(STOP), frame(LAST[1]), frame("[DONE]"), frame("no JSON"), b": comment\n\n"]),
    st.binary(max_size=8),
)
streams = st.lists(frames, max_size=6).map(b"".join)


def events(pieces: list[bytes]) -> list[Event]:
    return all_events(ChatCompletionDecoder(), pieces)


def merged(pieces: list[bytes]) -> tuple[list[dict[str, Any]], Finish]:
    """The deltas, with consecutive ones that hold only text joined, and the end."""
    *deltas, end = events(pieces)
    assert isinstance(end, Finish)
    return joined(deltas), end


def joined(deltas: list[Event]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for delta in deltas:
        assert isinstance(delta, Delta)
        assert delta.fields
        if found and found[-1].keys() == delta.fields.keys() == {"content"}:
            found[-1] = {"content": found[-1]["content"] + delta.fields["content"]}
        else:
            found.append(dict(delta.fields))
    return found


def outcome(pieces: list[bytes]) -> str:
    """The answer, or the error and what came before it."""
    found, error = decoded(ChatCompletionDecoder(), pieces)
    return f"{named(error) if error else found.pop()} after {joined(found)}"


async def as_events(found: list[Event]) -> AsyncIterator[Event]:
    for event in found:
        yield event


@given(streams, places)
@example(stream(*of_text("\ud83d", "\ude00"), *LAST), [])
@example(stream(*of_text("Hi"), {"error": {}}), [])
def test_any_split_of_any_stream_gives_the_same_answer_or_error(stream: bytes, at: list[float]) -> None:
    whole = outcome([stream])
    assert outcome(cut(stream, at)) == whole
    assert outcome(by_byte(stream)) == whole


@given(streams)
@example(stream(chunk({"tool_calls": ["no object"]}), STOP))
@example(stream(chunk({"tool_calls": [{"index": [], "function": "no object"}]}), STOP))
@example(stream(chunk({"tool_calls": [{"id": 1, "function": {"name": 1, "arguments": {"a": 1}}}]}), STOP))
@example(stream(chunk({"content": [{"type": "text", "text": "Hi"}]}), STOP))
@example(
    stream(chunk({"reasoning_content": {}, "refusal": 1, "function_call": "no object"}), chunk({"content": "Hi"}, 7))
)
@example(stream(chunk({"content": "Hi"}, "odd")))
@example(stream(chunk({"function_call": {"name": "a"}}), STOP))
@example(stream(chunk({"content": "Hi"}, "stop", {"prompt_tokens": True, "completion_tokens": "3"})))
async def test_whatever_is_read_can_be_answered(stream: bytes) -> None:
    try:
        found = events([stream])
    except StackSpotError:
        return
    whole = await responses.to_model_response(as_events(found), utils.ModelResponse(), model="m")
    whole.model_dump_json()
    async for piece in responses.to_chunks(as_events(found), model="m"):
        piece.model_dump_json()


@given(st.lists(any_text, min_size=1, max_size=6), st.sampled_from(LINE_ENDS), places)
def test_the_text_is_that_of_all_chunks(texts: list[str], end: bytes, at: list[float]) -> None:
    pieces = cut(stream(*of_text(*texts), *LAST, end=end), at)
    whole = "".join(texts).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if whole:
        assert merged(pieces) == ([{"content": whole}], Finish("stop", Usage(12, 3)))
    else:
        assert outcome(pieces).startswith("InvalidResponseError: StackSpot's answer is empty")


def test_a_whole_completion() -> None:
    message = {"role": "assistant", "content": "Hi", "tool_calls": [CALL]}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}], "usage": USAGE}
    sent = json.dumps(body, indent=1).encode()
    expected = ([{"content": "Hi", "tool_calls": [{"index": 0, **CALL}]}], Finish("tool_calls", Usage(12, 3)))
    assert merged([sent]) == merged(by_byte(sent)) == expected


def test_streamed_tool_calls_are_passed_on_as_they_are() -> None:
    pieces = [
        {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "a", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"x":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]},
        {
            "tool_calls": [
                {"index": 1, "id": "call_2", "type": "function", "function": {"name": "b", "arguments": "{}"}}
            ]
        },
    ]
    found, end = merged([stream(*map(chunk, pieces), chunk({}, "tool_calls"), "[DONE]")])
    assert (found, end.finish_reason) == (pieces, "tool_calls")


def test_other_fields_of_a_delta_are_passed_on() -> None:
    pieces = [{"reasoning_content": "Hm"}, {"refusal": "No"}, {"function_call": {"name": "a", "arguments": "{}"}}]
    assert merged([stream(*map(chunk, pieces), STOP)])[0] == pieces


def test_what_a_caller_must_not_be_told_is_left_out() -> None:
    delta = {"content": "Hi", "provider_specific_fields": {"address": "x"}, "role": "user", "audio": {}}
    assert merged([stream(chunk(delta), STOP)])[0] == [{"content": "Hi"}]


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (USAGE, Usage(12, 3)),
        ({"prompt_tokens": 12}, Usage(12, None)),
        ({"prompt_tokens": 0, "completion_tokens": -3}, Usage()),
        ({"prompt_tokens": "12", "completion_tokens": 3.5}, Usage()),
        ({"prompt_tokens": True, "completion_tokens": None}, Usage()),
        ({}, Usage()),
        (None, Usage()),
        ("12", Usage()),
    ],
)
def test_every_usage_variant(usage: Any, expected: Usage) -> None:
    assert merged([stream(*of_text("Hi"), STOP, chunk(usage=usage), "[DONE]")])[1].usage == expected
    assert merged([stream(*of_text("Hi"), chunk({}, "stop", usage))])[1].usage == expected


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("tool_calls", "tool_calls"),
        ("function_call", "function_call"),
        ("content_filter", "content_filter"),
        ("odd", "stop"),
    ],
)
def test_reasons_are_openais(reason: str, expected: str) -> None:
    assert merged([stream(*of_text("Hi"), chunk({}, reason))])[1].finish_reason == expected


@pytest.mark.parametrize(
    "sent",
    [
        [],
        of_text("Hi"),
        [*of_text("Hi"), "[DONE]"],
        [*of_text("Hi"), chunk(usage=USAGE)],
        [*of_text("Hi"), chunk({}, 7)],
    ],
)
def test_a_stream_without_its_end_is_broken_off(sent: list[Any]) -> None:
    with pytest.raises(InvalidResponseError, match="broke off"):
        events([stream(*sent)])


@pytest.mark.parametrize("body", [b"", b"<html></html>", b'{"choices": [', b"[]", b"{}", b'"Hi"', b"\xff\xfe"])
def test_a_body_that_is_no_answer_is_broken_off(body: bytes) -> None:
    with pytest.raises(InvalidResponseError, match="broke off"):
        events([body])


@pytest.mark.parametrize("text", ["", None])
def test_an_empty_answer_is_an_error(text: str | None) -> None:
    with pytest.raises(InvalidResponseError, match="empty"):
        events([stream(chunk({"role": "assistant", "content": text}), *LAST)])


@pytest.mark.parametrize(
    "sent",
    [
        frame({"error": {"message": "secret words", "code": None}}),
        frame({"error": "secret words"}),
        frame({"message": "secret words"}, event="error"),
        b'{"error": {"message": "secret words", "type": "server_error"}}',
    ],
)
def test_an_error_object_in_the_answer(sent: bytes) -> None:
    with pytest.raises(InvalidResponseError, match="reported an error") as caught:
        events([sent])
    assert "secret words" not in str(caught.value)


def test_a_context_overflow_in_the_answer() -> None:
    details = "Input tokens exceed the configured limit of 100 tokens. Your messages resulted in 200 tokens."
    error = {"code": "INFERENCE_6001_LLM_MODEL_BAD_REQUEST", "details": details}
    with pytest.raises(ContextWindowExceededError) as caught:
        events([frame({"error": error})])
    assert (caught.value.limit, caught.value.tokens) == (100, 200)


def test_what_follows_the_end_mark_is_ignored() -> None:
    sent = stream(*of_text("Hi"), *LAST, *of_text(" there"))
    assert merged([sent]) == merged(by_byte(sent)) == ([{"content": "Hi"}], Finish("stop", Usage(12, 3)))
