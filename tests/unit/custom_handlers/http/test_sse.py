"""Bytes to messages: any split, any line end, any nonsense."""

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_handlers.core.errors import InvalidResponseError
from custom_handlers.http import sse
from custom_handlers.http.sse import DONE, ServerSentEvent, SSEDecoder, TextJoiner
from tests.sampling import thorough
from tests.unit.custom_handlers.reading import LINE_ENDS, any_json, any_text, by_byte, cut, frame, places

objects = st.dictionaries(any_text, any_json, max_size=3)
lines = st.one_of(
    st.sampled_from([b"", b":", b": comment", b"data", b"data:", b"data: [DONE]", b"event: error", b"id: 1", b"\xff"]),
    objects.map(lambda body: b"data: " + json.dumps(body).encode()),
    objects.map(lambda body: b"data:" + json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")),
    st.binary(max_size=8),
)
# Line ends change from line to line, as no service does, but a gateway in between may.
streams = st.lists(st.tuples(lines, st.sampled_from(LINE_ENDS)), max_size=10).map(
    lambda pairs: b"".join(line + end for line, end in pairs)
)


def read(pieces: list[bytes]) -> list[ServerSentEvent]:
    decoder = SSEDecoder()
    return [event for piece in pieces for event in decoder.decode(piece)] + decoder.flush()


def bodies(stream: bytes) -> list[dict[str, Any]]:
    return [event.data for event in read([stream])]


def utf16(character: str) -> list[int]:
    raw = character.encode("utf-16-le", "surrogatepass")
    return [int.from_bytes(raw[i : i + 2], "little") for i in range(0, len(raw), 2)]


def as_the_standard_says(stream: bytes) -> list[ServerSentEvent]:
    """Another reading of the same bytes, all at once: the event stream algorithm of the HTML standard."""
    messages, event, data = [], "", list[str]()
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
    for line in [*re.split("\r\n|\r|\n", text), ""]:
        name, _, value = line.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
        elif name == "event":
            event = value.removeprefix(" ")
        elif not line:
            if data == ["[DONE]"]:
                messages.append(ServerSentEvent(DONE, {}))
            elif data:
                try:
                    body = json.loads("\n".join(data))
                except ValueError:
                    body = None
                messages += [ServerSentEvent(event, body)] if isinstance(body, dict) else []
            event, data = "", []
    return messages


@given(st.one_of(streams, st.binary(max_size=60)), places)
@example(b'event: error\ndata: {"a": 1}\r\n\ndata: {"b": 2}\n\n', [])
@example('data: {"a": "é"}\n\n'.encode(), [14.5 / 20])
@example(b'\xef\xbb\xbf{"a": 1}', [0.2])
def test_any_split_gives_the_same_messages(stream: bytes, at: list[float]) -> None:
    whole = repr(read([stream]))  # compared as text, since NaN is not equal to itself
    assert repr(read(cut(stream, at))) == whole
    assert repr(read(by_byte(stream))) == whole


@given(st.lists(objects, min_size=1, max_size=4), st.sampled_from(LINE_ENDS), places)
def test_every_object_is_read_whatever_the_line_end(sent: list[dict[str, Any]], end: bytes, at: list[float]) -> None:
    stream = b"".join(frame(body, end) for body in sent)
    assert repr([event.data for event in read(cut(stream, at))]) == repr(sent)


@given(st.lists(st.tuples(objects, st.sampled_from(["", "error", "delta"])), max_size=4), st.sampled_from(LINE_ENDS))
def test_well_formed_streams_read_as_the_standard_says(sent: list[tuple[dict[str, Any], str]], end: bytes) -> None:
    stream = b"\xef\xbb\xbf" + b"".join(b": comment" + end + frame(body, end, name) for body, name in sent)
    assert repr(read([stream])) == repr(as_the_standard_says(stream))


@pytest.mark.parametrize("end", LINE_ENDS)
def test_plain_json_in_place_of_a_stream(end: bytes) -> None:
    body = json.dumps({"event": "Hi", "tokens": {"input": 1}}, indent=2).encode().replace(b"\n", end)
    expected = [{"event": "Hi", "tokens": {"input": 1}}]
    assert bodies(body) == bodies(end + b"  " + body + end) == expected
    assert [event.data for event in read(by_byte(body))] == expected


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b'data: {"a":1}', [{"a": 1}]),  # the last blank line never came
        (b'data: {"a":1}\ndata: {"b":2}\n\n', [{"a": 1}, {"b": 2}]),  # a blank line was forgotten
        (b'data: {"a":\ndata: 1}\n\n', [{"a": 1}]),  # one object over two lines
        (b'data: not JSON\n\ndata: {"a":1}\n\n', [{"a": 1}]),
        (b'data: {"a":1\n\ndata: {"b":2}\n\n', [{"b": 2}]),
        (b'data: 1\n\ndata: null\n\ndata: ["a"]\n\ndata: "a"\n\ndata: {"a":1}\n\n', [{"a": 1}]),
        (b'datum: {"a":1}\n\ndata : {"a":1}\n\nDATA: {"a":1}\n\n', []),
        (b'data: {"a":"\xff"}\n\n', [{"a": "\ufffd"}]),
        (b'data: {"a":' + b"[" * 100_000 + b"\n\n", []),
        (b'data: {"a":' + b"9" * 10_000 + b"}\n\n", []),
        (b"[" * 100_000, []),
        (b"<html><body>Bad gateway: data</body></html>", []),
        (b"", []),
        (b"\r\n\r\n", []),
    ],
)
def test_irregular_streams(stream: bytes, expected: list[dict[str, Any]]) -> None:
    assert bodies(stream) == expected


def test_the_end_mark_of_openai_has_a_name() -> None:
    assert read([b"data: [DONE]\n\n"]) == [ServerSentEvent(DONE, {})]


def test_the_event_name_holds_for_one_event() -> None:
    stream = frame({"a": 1}, event="error") + frame({"a": 2})
    assert read([stream]) == [ServerSentEvent("error", {"a": 1}), ServerSentEvent("", {"a": 2})]


def test_an_object_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_OBJECT_BYTES", 1000)
    with pytest.raises(InvalidResponseError, match="too large"):
        read([b"data: xxxx"] * 101)
    assert read([b"data: xxxx"] * 100) == []


@pytest.mark.parametrize("line", [b"data: {}\n", b"data: 1\r\n"])
def test_an_event_of_endless_lines_is_refused(line: bytes) -> None:
    assert len(read([line * sse.MAX_EVENT_LINES])) in (0, sse.MAX_EVENT_LINES)
    with pytest.raises(InvalidResponseError, match="too many lines"):
        read([line * (sse.MAX_EVENT_LINES + 1)])


def test_a_long_stream_of_small_objects_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_OBJECT_BYTES", 1000)
    assert len(read([frame({"a": 1}), b": keep-alive\n\n"] * 500)) == 500


# Linear, these take about a second each; were the cost to grow with the square, minutes.
@pytest.mark.timeout(40)
@pytest.mark.parametrize(
    ("stream", "size"),
    [
        pytest.param(b'data: {"a":"' + b"x" * 4_000_000 + b'"}\n\n', 10, id="a long line"),
        pytest.param(b'{"a":"' + b"x" * 4_000_000 + b'"}', 10, id="a long body", marks=thorough),
        pytest.param(frame({"a": 1}) * 60_000, 1_900_000, id="many objects at once", marks=thorough),
        pytest.param(b"data: x\n" * 10_000, 10, id="an event of many lines"),
        pytest.param(b"\r" * 500_000, 500_000, id="many line ends", marks=thorough),
    ],
)
def test_the_cost_is_linear(stream: bytes, size: int) -> None:
    assert read([stream[i : i + size] for i in range(0, len(stream), size)]) is not None


@given(any_text, places)
@example("a\U0001f600b", [0.5])
def test_surrogate_pairs_are_mended_over_any_split(text: str, at: list[float]) -> None:
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    halves = re.sub(".", lambda c: "".join(map(chr, utf16(c[0]))), whole, flags=re.DOTALL)
    joiner = TextJoiner()
    joined = "".join([*map(joiner.join, cut(halves, at)), joiner.join("", last=True)])
    assert joined == re.sub("[\ud800-\udfff]", "\ufffd", whole)
    joined.encode()
