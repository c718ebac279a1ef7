"""Each call of a streamed answer ends before the next one begins, as OpenAI's do."""

import json
from itertools import chain
from typing import Any

import pytest

from custom_handlers.guard.call_events import CallEvents

ADDED, DONE = "response.output_item.added", "response.output_item.done"
DELTA, ARGUMENTS = "response.function_call_arguments.delta", "response.function_call_arguments.done"


def call(name: str, status: str, arguments: str, kind: str = "function_call") -> dict[str, Any]:
    return {"type": kind, "id": f"fc_{name}", "call_id": name, "name": "edit", "status": status, "arguments": arguments}


def begins(at: int, name: str, *deltas: str, kind: str = "function_call") -> list[dict[str, Any]]:
    added = {"type": ADDED, "output_index": at, "item": call(name, "in_progress", "", kind)}
    return [added, *({"type": DELTA, "item_id": f"fc_{name}", "output_index": at, "delta": delta} for delta in deltas)]


def ends(at: int, name: str, arguments: str, kind: str = "function_call") -> list[dict[str, Any]]:
    return [
        {"type": ARGUMENTS, "item_id": f"fc_{name}", "output_index": at, "arguments": arguments},
        {"type": DONE, "output_index": at, "item": call(name, "completed", arguments, kind)},
    ]


TEXT: dict[str, Any] = {"type": "response.output_text.done", "item_id": "msg_1", "output_index": 0, "text": "I edit."}
CREATED: dict[str, Any] = {"type": "response.created", "response": {"id": "resp_1"}}
COMPLETED: dict[str, Any] = {"type": "response.completed", "response": {"id": "resp_1"}}


def pieces(*events: dict[str, Any]) -> list[bytes]:
    numbered = ({**event, "sequence_number": number} for number, event in enumerate(events))
    return [f"data: {json.dumps(event)}\n\n".encode() for event in numbered]


def fed(*sent: bytes) -> bytes:
    order = CallEvents()
    return b"".join(order.feed(piece) for piece in sent)


def events_in(stream: bytes) -> list[dict[str, Any]]:
    found = [json.loads(part.removeprefix(b"data: ")) for part in stream.split(b"\n\n") if part.startswith(b"data: {")]
    assert [event.pop("sequence_number") for event in found] == list(range(len(found)))
    return found


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_a_call_ends_before_the_next_begins(kept: int) -> None:
    """`kept` calls; LiteLLM ends them all together."""
    texts = [f'{{"at": {number}}}' for number in range(kept)]
    started = [begins(at, str(at), text[:4], text[4:]) for at, text in enumerate(texts, 1)]
    ended = [ends(at, str(at), text) for at, text in enumerate(texts, 1)]
    sent = pieces(CREATED, *chain(*started), *chain(*ended), TEXT, COMPLETED)
    expected = [event for start, end in zip(started, ended, strict=True) for event in (*start, *end)]
    assert events_in(fed(*sent)) == [CREATED, *expected, TEXT, COMPLETED]


def test_what_is_in_order_passes_byte_for_byte() -> None:
    one, two = begins(1, "a", "{}"), begins(2, "b", "{}")
    sent = pieces(CREATED, *one, *ends(1, "a", "{}"), *two, *ends(2, "b", "{}"), COMPLETED)
    assert fed(*sent) == b"".join(sent)


def test_another_kind_of_item_ends_a_call_as_well() -> None:
    message = {"type": ADDED, "output_index": 2, "item": {"type": "message", "id": "msg_1"}}
    sent = pieces(*begins(1, "a", "{}"), message, *ends(1, "a", "{}"), COMPLETED)
    assert events_in(fed(*sent)) == [*begins(1, "a", "{}"), *ends(1, "a", "{}"), message, COMPLETED]


def test_calls_of_another_kind_stay_as_they_are() -> None:
    """What a custom tool is called with is no JSON: only LiteLLM knows how it ends."""
    one, two = begins(1, "a", "x", kind="custom_tool_call"), begins(2, "b", "y", kind="custom_tool_call")
    done = [*ends(1, "a", "x", "custom_tool_call"), *ends(2, "b", "y", "custom_tool_call")]
    sent = pieces(*one, *two, *done, COMPLETED)
    assert fed(*sent) == b"".join(sent)


def test_signs_of_life_and_the_end_pass() -> None:
    one, two = begins(1, "a", "{}"), begins(2, "b", "{}")
    first, *rest = pieces(*one, *two, *ends(1, "a", "{}"), *ends(2, "b", "{}"), COMPLETED)
    stream = fed(first, b": ping\n\n", *rest, b"data: [DONE]\n\n", b"data: {broken\n\n")
    assert b": ping\n\n" in stream
    assert stream.endswith(b"data: [DONE]\n\ndata: {broken\n\n")
    assert len(events_in(stream.replace(b"data: {broken\n\n", b""))) == 9
