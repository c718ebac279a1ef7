"""Answers that are spoilt on their way (reference, sections 4 and 5.3)."""

import time

import httpx
import pytest

from simulator.client import Simulator
from tests.unit.simulator.calling import AGENT, Caller


def test_null_messages(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(null_message=True)
    plain = caller.chat().json()
    assert plain["message"] is None
    assert plain["tokens"]["output"] > 0
    stream = caller.stream()
    assert stream.deltas == [None, None]
    assert stream.final["tokens"]["output"] > 0


def test_empty_answers(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(empty_answer=True)
    assert caller.chat().json()["message"] == ""
    stream = caller.stream()
    assert stream.deltas == ["", ""]
    assert stream.final["stop_reason"] == "stop"


def test_endless_empties(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(endless_empties=True)
    seen = _read_until_leaving(caller, enough=2000)
    assert seen.count(b'{"message":""}') > 20
    assert b"tokens" not in seen
    record = simulator.wait_for(lambda records: records[0]["client_left"], "chat")[0]
    assert not record["complete"]


@pytest.mark.parametrize("count", [0, 2])
def test_breaks_in_mid_stream(simulator: Simulator, caller: Caller, count: int) -> None:
    simulator.faults(break_after=count, empties=0)
    simulator.answer({"pieces": list("abcd")})
    stream = caller.stream()
    assert stream.status == 200
    assert not stream.whole
    assert stream.deltas == list("abcd")[:count]
    record = simulator.requests("chat")[0]
    assert (record["deltas"], record["complete"], record["client_left"]) == (count, False, False)


def test_a_plain_answer_breaks_in_its_middle(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(break_after=0)
    with pytest.raises(httpx.RemoteProtocolError, match=r"received \d+ bytes, expected"):
        caller.chat()


def test_stalls_in_mid_stream(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(stall_after=2, empties=0)
    simulator.answer({"pieces": list("abcd")}, {"pieces": list("abcd")})
    assert simulator.state()["open_streams"] == 0
    body = {"user_prompt": "x", "streaming": True}
    url = f"{caller.url}/v1/agent/{AGENT}/chat"
    with caller.http.stream("POST", url, json=body, headers=caller.bearer, timeout=0.4) as response:
        lines = response.iter_lines()
        assert [next(lines) for _ in range(3)] == ['data: {"message":"a"}', "", 'data: {"message":"b"}']
        assert simulator.state()["open_streams"] == 1
        with pytest.raises(httpx.ReadTimeout):
            list(lines)
    simulator.wait_for(lambda records: records[0]["client_left"], "chat")
    assert simulator.state()["open_streams"] == 0
    with pytest.raises(httpx.ReadTimeout):
        caller.chat(timeout=0.4)


@pytest.mark.parametrize("form", ["object", "event"])
def test_errors_inside_the_stream(simulator: Simulator, caller: Caller, form: str) -> None:
    simulator.faults(error_after=1, error_form=form, empties=0)
    simulator.answer({"pieces": list("abc")})
    stream = caller.stream()
    assert stream.whole
    assert stream.objects[0] == {"message": "a"}
    assert stream.objects[1]["type"] == "error"
    assert len(stream.objects) == 2
    assert stream.writes[-1].startswith(b"event: error\r\ndata: " if form == "event" else b"data: ")


def test_lines_that_are_not_json(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(non_json=True, empties=0)
    simulator.answer({"pieces": ["a", "b"]})
    stream = caller.stream()
    assert stream.writes[1] == b"data: this is not JSON\r\n\r\n"
    assert stream.deltas == ["a", "b"]


def test_messages_that_are_not_text(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(non_text=True, empties=0)
    simulator.answer({"pieces": ["a", "b"]})
    assert caller.stream().deltas == ["a", {"text": "not a string"}, "b"]


def test_the_cut_of_long_plain_calls(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(non_streaming_limit=0.3, delta_delay=0.05)
    simulator.answer({"pieces": list("abcdefghijkl")}, {"pieces": list("abcdefghijkl")}, "short")
    started = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        caller.chat()
    assert 0.3 <= time.monotonic() - started < 0.5
    assert caller.stream().whole
    assert caller.chat().json()["message"] == "short"


def test_plain_calls_take_as_long_as_streams(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(first_byte_delay=0.2, delta_delay=0.1)
    simulator.answer({"pieces": list("abcd")})
    started = time.monotonic()
    assert caller.chat().json()["message"] == "abcd"
    assert time.monotonic() - started >= 0.5


def test_callers_that_leave_are_noticed(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(delta_delay=0.05)
    simulator.answer({"pieces": ["x"] * 200})
    _read_until_leaving(caller, enough=60)
    record = simulator.wait_for(lambda records: records[0]["client_left"], "chat")[0]
    assert 1 <= record["deltas"] < 200
    assert record["usage"] is None


def _read_until_leaving(caller: Caller, enough: int) -> bytes:
    body = {"user_prompt": "x", "streaming": True}
    url = f"{caller.url}/v1/agent/{AGENT}/chat"
    seen = b""
    with caller.http.stream("POST", url, json=body, headers=caller.bearer) as response:
        for piece in response.iter_raw():
            seen += piece
            if len(seen) > enough:
                break
    return seen
