"""The Agents API: what is asked of it, and every form of its answer, cut anywhere."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_handlers.core.errors import ContextWindowExceededError, InvalidResponseError
from custom_handlers.core.events import Delta, Event, Finish, Usage
from custom_handlers.core.models import is_ulid
from custom_handlers.http.sse import SSEDecoder
from custom_handlers.upstream.agents_api import Agent, AgentStreamDecoder, read_usage
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

AGENT_ID = "01J0000000000000000000CHAT"
TOKENS = {"input": 12, "output": 3}
FINAL = {"message": "", "stop_reason": "stop", "tokens": TOKENS, "message_id": "01J000000000000000000000M1"}
CONTAINERS: dict[str, Any] = {
    "upload_ids": {},
    "knowledge_source_id": [],
    "source": [],
    "cross_account_source": [],
    "tools_id": [],
    "agent_info": [],
}

# Anything in the fields that matter, often enough what is expected there.
objects = st.fixed_dictionaries(
    {},
    optional={
        "message": any_text | any_text | st.none() | any_json,
        "stop_reason": st.sampled_from([None, "stop", "length"]) | any_json,
        "tokens": st.none() | st.just(TOKENS) | st.dictionaries(st.sampled_from(["input", "user", "output"]), any_json),
        "type": st.sampled_from(["error", "delta"]) | any_json,
        "code": st.just("INFERENCE_1_X") | any_json,
        "details": any_json,
        "source": any_json,
    },
)
frames = st.one_of(
    st.builds(frame, objects, st.sampled_from(LINE_ENDS), st.sampled_from(["", "", "", "error"])),
    st.builds(frame, any_text.map(lambda text: {"message": text}), st.sampled_from(LINE_ENDS)),
    st.sampled_from(
        [frame(FINAL), frame("[DONE]"), frame("no JSON"), b": comment\r\n\r\n", json.dumps(FINAL).encode()]
    ),
    st.binary(max_size=8),
)
streams = st.lists(frames, max_size=6).map(b"".join)


def events(pieces: list[bytes]) -> list[Event]:
    return all_events(AgentStreamDecoder(), pieces)


def text_of(deltas: list[Event]) -> str:
    assert all(isinstance(delta, Delta) and delta.text for delta in deltas)
    return "".join(delta.text for delta in deltas if isinstance(delta, Delta))


def text_and_end(pieces: list[bytes]) -> tuple[str, Finish]:
    *deltas, end = events(pieces)
    assert isinstance(end, Finish)
    return text_of(deltas), end


def outcome(pieces: list[bytes]) -> str:
    """The answer, or the error and the text before it, as text: NaN, which JSON may hold, is not equal to itself."""
    found, error = decoded(AgentStreamDecoder(), pieces)
    text = text_of(found if error else found[:-1])
    text.encode()  # no half of a surrogate pair is left
    return f"{named(error) if error else found[-1]} after {text!r}"


def stream(*bodies: Any, end: bytes = b"\r\n") -> bytes:
    return b"".join(frame(body, end) for body in bodies)


@given(streams, places)
@example(stream({"message": "\ud83d"}, {"message": "\ude00"}, FINAL), [])
@example(stream({"message": "\ud83d"}, {"stop_reason": None}), [])
@example(stream({"message": "Hi"}, {"type": "error"}), [])
@example(stream({"message": "a", "stop_reason": None}, {"message": "b"}), [])
def test_any_split_of_any_stream_gives_the_same_answer_or_error(stream: bytes, at: list[float]) -> None:
    whole = outcome([stream])
    assert outcome(cut(stream, at)) == whole
    assert outcome(by_byte(stream)) == whole


@given(st.lists(any_text, min_size=1, max_size=6), st.sampled_from(LINE_ENDS), st.booleans(), places)
def test_the_text_is_that_of_all_deltas(texts: list[str], end: bytes, full: bool, at: list[float]) -> None:
    more = CONTAINERS if full else {}
    sent = stream({"message": ""}, *({"message": text, **more} for text in texts), FINAL, end=end)
    whole = "".join(texts).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if whole.strip():
        assert text_and_end(cut(sent, at)) == (whole, Finish("stop", Usage(12, 3)))
    else:
        assert outcome(cut(sent, at)).startswith("InvalidResponseError: StackSpot's answer is empty")


@pytest.mark.parametrize(
    ("tokens", "usage"),
    [
        ({"user": 10, "enrichment": 5, "output": 7}, Usage(15, 7)),  # DOC-AG
        ({"user": None, "enrichment": None, "input": 20, "output": 7}, Usage(20, 7)),  # HASS, GAMBI
        ({"input": 20, "output": 7}, Usage(20, 7)),  # STKAI, MIDIR
        ({"input": "20", "output": "7"}, Usage(20, 7)),  # MIDIR
        ({"user": "10", "enrichment": "5", "output": "7"}, Usage(15, 7)),
        ({"input": 0, "user": 10, "enrichment": 5, "output": 7}, Usage(15, 7)),
        ({"input": 20, "user": 10, "enrichment": 5, "output": 7}, Usage(20, 7)),
        ({"input": 20}, Usage(20, None)),
        ({"output": 7}, Usage(None, 7)),
        ({"input": 0, "output": 0}, Usage()),
        ({"input": -1, "output": -7}, Usage()),
        ({"input": 10**12, "output": 2_000_000}, Usage(None, 2_000_000)),  # what cannot be true
        ({"input": "1000000000000", "output": 2_000_001}, Usage()),
        ({"input": True, "output": 1.5}, Usage()),
        ({"input": "12.0", "output": "-7"}, Usage()),
        ({"input": 0, "user": 10**12, "enrichment": 5, "output": 7}, Usage(5, 7)),
        ({"input": "many", "output": [7]}, Usage()),
        ({"input": float("nan"), "output": float("inf")}, Usage()),
        ({}, Usage()),
        (None, Usage()),
        ("20", Usage()),
    ],
)
def test_every_usage_variant(tokens: Any, usage: Usage) -> None:
    assert read_usage(tokens) == usage
    _, end = text_and_end([stream({"message": "Hi"}, {"stop_reason": "stop", "tokens": tokens})])
    assert end.usage == usage


@given(any_json)
def test_usage_is_never_zero_or_less(tokens: Any) -> None:
    usage = read_usage(tokens)
    assert all(count is None or count > 0 for count in (usage.prompt, usage.completion))


@pytest.mark.parametrize(
    "final",
    [
        FINAL,
        {"stop_reason": "stop"},
        {"tokens": TOKENS},
        {"message": "", "stop_reason": None},  # MIDIR: the presence of either key is enough
        {"message": "", "tokens": None},
        {"stop_reason": None, "tokens": None},
        {"stop_reason": None, "tokens": TOKENS},
    ],
)
def test_every_end_mark(final: dict[str, Any]) -> None:
    text, end = text_and_end([stream({"message": "Hi"}, final)])
    assert (text, end.finish_reason) == ("Hi", "stop")


def test_what_follows_the_end_is_ignored() -> None:
    sent = stream({"message": "Hi"}, FINAL, {"message": " there"}, "[DONE]", {"type": "error"})
    assert text_and_end([sent]) == text_and_end(by_byte(sent)) == ("Hi", Finish("stop", Usage(12, 3)))


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        # Each delta in the shape of a whole answer (GAMBI): null marks that are followed by text are no end.
        ([{"message": "H", "stop_reason": None, "tokens": None}, {"message": "i"}, FINAL], "Hi"),
        ([{"message": "H"}, {"message": "", "stop_reason": None}, {"message": "i"}, FINAL], "Hi"),
        # Text in the final object, and all of it there.
        ([{"message": "H"}, {**FINAL, "message": "i"}], "Hi"),
        ([{**FINAL, "message": "Hi"}], "Hi"),
        # Objects whose `message` is no text, and objects of other kinds, are passed over (MIDIR).
        ([{"message": {"text": "no"}}, {"message": "Hi"}, {"message": 1}, {"other": 1}, FINAL], "Hi"),
        ([{"message": None}, {"message": "Hi"}, FINAL], "Hi"),
        # Half of a surrogate pair is all there is (MIDIR).
        ([{"message": "\ud83d"}, FINAL], "\ufffd"),
        ([{"message": "\ud83d"}, {"stop_reason": None}], "\ufffd"),
    ],
)
def test_the_shapes_of_deltas(sent: list[dict[str, Any]], expected: str) -> None:
    assert text_and_end([stream(*sent)])[0] == expected


@pytest.mark.parametrize("end", LINE_ENDS)
def test_plain_json_in_place_of_a_stream(end: bytes) -> None:
    body = json.dumps({"message": "Hi\nthere", **{k: v for k, v in FINAL.items() if k != "message"}}, indent=1)
    sent = body.encode().replace(b"\n", end)
    assert text_and_end([sent]) == text_and_end(by_byte(sent)) == ("Hi\nthere", Finish("stop", Usage(12, 3)))


@pytest.mark.parametrize(
    "sent",
    [
        [],
        [{"message": ""}],
        [{"message": "Hi"}],
        [{"message": "Hi"}, "[DONE]"],
        [{"message": "Hi"}, {"stop_reason": None}, {"message": " there"}],
        [{"message": "Hi", "stop_reason": None, "tokens": None}],
        [{"message": "Hi", "stop_reason": None}, {"message": " there", "stop_reason": None}],
    ],
)
def test_a_stream_without_its_end_is_broken_off(sent: list[Any]) -> None:
    with pytest.raises(InvalidResponseError, match="broke off"):
        events([stream(*sent)])


@pytest.mark.parametrize("body", [b"", b"<html></html>", b'{"message": "Hi', b'["Hi"]', b'"Hi"', b"null", b"\xff\xfe"])
def test_a_body_that_is_no_answer_is_broken_off(body: bytes) -> None:
    with pytest.raises(InvalidResponseError, match="broke off"):
        events([body])


@pytest.mark.parametrize(
    ("sent", "hint"),
    [
        ([FINAL], "try again"),
        ([{"message": ""}, {"message": " \n"}, FINAL], "try again"),
        ([{**FINAL, "message": None}], "content filter"),  # LCGRAPH
        ([{"message": None}, {"message": ""}, FINAL], "content filter"),
        ([{"message": None}, {"stop_reason": "stop"}], "content filter"),
    ],
)
def test_an_empty_answer_is_an_error(sent: list[Any], hint: str) -> None:
    with pytest.raises(InvalidResponseError, match=hint):
        events([stream(*sent)])


@pytest.mark.parametrize(
    "sent",
    [
        frame({"type": "error", "message": "secret words"}),
        frame({"type": "error", "error": {"message": "secret words"}}),
        frame({"message": "secret words"}, event="error"),
        frame({"type": "InternalError", "code": "INFERENCE_5000_INTERNAL", "details": "secret words"}),
    ],
)
def test_an_error_object_in_the_stream(sent: bytes) -> None:
    with pytest.raises(InvalidResponseError, match="reported an error") as caught:
        events([frame({"message": "Hi"}), sent, frame(FINAL)])
    assert "secret words" not in str(caught.value)
    assert ("INFERENCE_5000_INTERNAL" in str(caught.value)) == (b"5000" in sent)


def test_a_context_overflow_in_the_stream() -> None:
    details = "Input tokens exceed the configured limit of 100 tokens. Your messages resulted in 200 tokens."
    with pytest.raises(ContextWindowExceededError) as caught:
        events([frame({"type": "error", "code": "INFERENCE_6001_LLM_MODEL_BAD_REQUEST", "details": details})])
    assert (caught.value.limit, caught.value.tokens) == (100, 200)


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("content_filter", "content_filter"),
        ("else", "stop"),
        (None, "stop"),
        (7, "stop"),
    ],
)
def test_stop_reasons_become_openais(stop: Any, reason: str) -> None:
    assert text_and_end([stream({"message": "Hi"}, {**FINAL, "stop_reason": stop})])[1].finish_reason == reason


def test_knowledge_that_was_used_is_reported() -> None:
    used = {"knowledge_source_id": ["ks"], "source": [{"type": "knowledge_source"}], "cross_account_source": []}
    _, end = text_and_end([stream({"message": "Hi"}, {**FINAL, **used})])
    assert end.extra == {
        "stackspot_knowledge": {"knowledge_source_id": ["ks"], "source": [{"type": "knowledge_source"}]}
    }
    assert text_and_end([stream({"message": "Hi"}, {**FINAL, **CONTAINERS})])[1].extra == {}


def test_text_counts_as_life_and_empties_do_not() -> None:
    sse, answer = SSEDecoder(), AgentStreamDecoder()
    assert list(answer.decode(sse.decode(stream(*[{"message": ""}] * 20, {"message": " "})))) == [
        Delta({"content": " "})
    ]
    assert not answer.begun
    list(answer.decode(sse.decode(stream({"message": "Hi"}))))
    assert answer.begun


def test_the_body_holds_what_is_needed_and_no_more() -> None:
    assert Agent(AGENT_ID).body("Hi") == {"user_prompt": "Hi", "streaming": True, "stackspot_knowledge": False}


def test_every_option_of_an_agent_is_sent() -> None:
    agent = Agent(AGENT_ID, knowledge_source_ids=("one", "two"), knowledge=True, deep_search=True, version=3)
    assert agent.body("Hi", ["upload"]) == {
        "user_prompt": "Hi",
        "streaming": True,
        "stackspot_knowledge": True,
        "return_ks_in_response": True,
        "deep_search_ks": True,
        "knowledge_source_ids": ["one", "two"],
        "agent_version_number": 3,
        "upload_ids": ["upload"],
    }


@pytest.mark.parametrize(
    ("option", "asks_for_sources"),
    [
        ({"knowledge": True}, True),
        ({"deep_search": True}, True),
        ({"knowledge_source_ids": ["one"]}, True),
        ({"version": 1}, False),
    ],
)
def test_sources_are_asked_for_where_knowledge_may_be_used(option: dict[str, Any], asks_for_sources: bool) -> None:
    assert ("return_ks_in_response" in Agent(AGENT_ID, **option).body("Hi")) == asks_for_sources


@pytest.mark.parametrize(
    ("value", "good"),
    [
        (AGENT_ID, True),
        ("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", True),
        ("8ZZZZZZZZZZZZZZZZZZZZZZZZZ", False),  # above 128 bits
        (AGENT_ID.lower(), False),
        (AGENT_ID[:-1], False),
        (AGENT_ID + "0", False),
        (AGENT_ID + "\n", False),
        (AGENT_ID[:-1] + "I", False),  # Crockford's alphabet has no I, L, O, U
        (AGENT_ID[:-1] + "U", False),
        ("", False),
        (None, False),
        (1, False),
    ],
)
def test_agent_ids_are_ulids(value: object, good: bool) -> None:
    assert is_ulid(value) == good
