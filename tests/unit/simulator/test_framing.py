"""The bytes of a stream, variant by variant (reference, sections 5 and 6)."""

import json
import time
from typing import Any

import pytest

from simulator.client import Simulator
from tests.unit.simulator.calling import Caller
from tests.unit.simulator.test_chat import CONTAINERS

EMOJI = "a😀é"


@pytest.mark.parametrize(("name", "end"), [("crlf", b"\r\n"), ("lf", b"\n"), ("cr", b"\r")])
def test_line_ends(simulator: Simulator, caller: Caller, name: str, end: bytes) -> None:
    simulator.faults(line_end=name)
    simulator.answer("one")
    body = caller.stream().body
    assert body.count(b"data: ") == 4
    assert body.endswith(b"}" + end + end)
    assert body.replace(end, b"").count(b"\r") == body.replace(end, b"").count(b"\n") == 0


def test_done(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(done=True)
    assert caller.stream().writes[-1] == b"data: [DONE]\r\n\r\n"


def test_comments(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(comments=True)
    simulator.answer("one")
    stream = caller.stream()
    assert all(write.startswith(b": ") for write in stream.writes)
    assert "".join(stream.deltas) == "one"


def test_no_final_object(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(final_object=False)
    simulator.answer("one")
    stream = caller.stream()
    assert stream.whole
    assert [o.keys() for o in stream.objects] == [{"message"}] * 3
    record = simulator.requests("chat")[0]
    assert (record["complete"], record["usage"]) == (True, None)


def test_full_deltas(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(delta_form="full")
    *deltas, final = caller.stream().objects
    assert all(delta.keys() == CONTAINERS | {"message"} for delta in deltas)
    assert final.keys() == CONTAINERS | {"message", "stop_reason", "tokens", "message_id"}


def test_deltas_in_the_form_of_an_answer(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(delta_form="answer")
    *deltas, final = caller.stream().objects
    assert all(delta.keys() == CONTAINERS | {"message", "conversation_id", "message_id"} for delta in deltas)
    assert final.keys() == caller.chat().json().keys()


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({}, {"input": 3, "output": 7}),
        ({"usage": "user"}, {"user": 2, "enrichment": 1, "output": 7}),
        ({"usage": "nulls"}, {"user": None, "enrichment": None, "input": 3, "output": 7}),
        ({"usage_as_strings": True}, {"input": "3", "output": "7"}),
        ({"usage": "user", "usage_as_strings": True}, {"user": "2", "enrichment": "1", "output": "7"}),
        ({"usage": "null"}, None),
    ],
)
def test_usage_forms(simulator: Simulator, caller: Caller, switches: dict[str, Any], expected: Any) -> None:
    simulator.faults(**switches)
    usage = {"input": 3, "output": 7, "enrichment": 1}
    simulator.answer({"text": "one", "usage": usage}, {"text": "one", "usage": usage})
    assert caller.stream().final["tokens"] == expected
    assert caller.chat().json()["tokens"] == expected
    reported = None if expected is None else {"input": 3, "output": 7}
    assert [record["usage"] for record in simulator.requests("chat")] == [reported, reported]


def test_usage_can_be_absent(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(usage="absent")
    assert "tokens" not in caller.stream().final
    assert "tokens" not in caller.chat().json()
    assert [record["usage"] for record in simulator.requests("chat")] == [None, None]


def test_hidden_tokens(simulator: Simulator, caller: Caller) -> None:
    plain = caller.chat().json()["tokens"]
    simulator.faults(extra_input=300, extra_output=40)
    assert caller.chat().json()["tokens"] == {"input": plain["input"] + 300, "output": plain["output"] + 40}


def test_a_script_may_say_another_stop_reason(simulator: Simulator, caller: Caller) -> None:
    simulator.rule({"text": "cut", "finish_reason": "length"}, when="Go")
    assert caller.stream("Go").final["stop_reason"] == caller.chat("Go").json()["stop_reason"] == "length"


@pytest.mark.parametrize(("switch", "expected"), [("null", {"stop_reason": None}), ("absent", {})])
def test_stop_reasons(simulator: Simulator, caller: Caller, switch: str, expected: dict[str, Any]) -> None:
    simulator.faults(stop_reason=switch)
    final = caller.stream().final
    assert {name: value for name, value in final.items() if name == "stop_reason"} == expected
    assert "tokens" in final


def test_final_object_without_message(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(final_message="absent")
    assert "message" not in caller.stream().final


def test_empties(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(empties=3)
    simulator.answer("one")
    assert caller.stream().deltas == ["", "", "", "one", "", "", ""]
    simulator.faults(empties=0)
    simulator.answer("one")
    assert caller.stream().deltas == ["one"]


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("characters", ["a", "😀", "é", " ", "b"]),
        ("surrogates", ["a", "\ud83d", "\ude00", "é", " ", "b"]),
        ("whole", ["a😀é b"]),
        ("tokens", ["a😀é", " b"]),
    ],
)
def test_pieces(simulator: Simulator, caller: Caller, way: str, expected: list[str]) -> None:
    simulator.faults(pieces=way, empties=0)
    simulator.answer(f"{EMOJI} b")
    stream = caller.stream()
    assert stream.deltas == expected
    assert simulator.requests("chat")[0]["deltas"] == len(expected)


def test_lone_surrogates_are_escapes(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(pieces="surrogates")
    simulator.answer("😀")
    assert rb'data: {"message":"\ud83d"}' in caller.stream().body


def test_characters_are_utf8_or_escapes(simulator: Simulator, caller: Caller) -> None:
    simulator.answer(EMOJI, EMOJI)
    assert EMOJI.encode() in caller.stream().body
    simulator.faults(escape=True)
    assert rb"a\ud83d\ude00\u00e9" in caller.stream().body


def test_several_deltas_in_one_write(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(deltas_per_write=3, empties=0)
    simulator.answer({"pieces": list("abcdefgh")})
    counts = [write.count(b"data: ") for write in caller.stream().writes]
    assert counts == [3, 3, 2, 1]


def test_scripted_writes(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(empties=0)
    simulator.answer({"writes": [["a", "b"], ["c"]]})
    stream = caller.stream()
    assert [write.count(b"data: ") for write in stream.writes] == [2, 1, 1]
    assert stream.deltas == ["a", "b", "c"]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_bytes_cut_anywhere(simulator: Simulator, caller: Caller, size: int) -> None:
    simulator.answer(EMOJI, EMOJI)
    whole = caller.stream().objects
    simulator.faults(cut_bytes=size)
    stream = caller.stream()
    assert [len(write) for write in stream.writes[:-1]] == [size] * (len(stream.writes) - 1)
    assert len(stream.writes) > len(stream.body) // size - 1
    whole[-1].pop("message_id")
    cut = stream.objects
    cut[-1].pop("message_id")
    assert cut == whole


def test_cumulative_deltas(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(cumulative=True, empties=0)
    simulator.answer({"pieces": ["a", "b", "c"]})
    assert caller.stream().deltas == ["a", "ab", "abc"]


def test_content_type_of_a_stream(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(stream_content_type="text/event-stream")
    assert caller.stream().headers["content-type"] == "text/event-stream"


def test_json_instead_of_a_stream(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(json_instead=True)
    simulator.answer("one")
    stream = caller.stream()
    assert stream.headers["content-type"].startswith("application/json")
    assert json.loads(stream.body)["message"] == "one"


def test_pauses(simulator: Simulator, caller: Caller) -> None:
    simulator.answer({"pieces": ["a", "b", "c"]}, {"pieces": ["a", "b", "c"]}, {"pieces": ["a", "b", "c"]})
    assert _seconds(caller) < 0.2
    simulator.faults(delta_delay=0.15)
    assert 0.3 <= _seconds(caller) < 0.6
    simulator.faults(first_byte_delay=0.4)
    assert 0.4 <= _seconds(caller) < 0.7


def _seconds(caller: Caller) -> float:
    started = time.monotonic()
    caller.stream()
    return time.monotonic() - started
