"""The order of events where a streamed answer of the responses surface calls several functions.

OpenAI ends one call before it begins the next: `output_item.added`, its arguments, `output_item.done`. LiteLLM ends all
of them when the answer ends. Clients that keep one open call (pi does) then take the end of the first for the end of
the last, and run that call twice.
"""

from __future__ import annotations

from typing import Any

from custom_handlers.guard.pieces import Event, read_event

_ADDED, _DONE = "response.output_item.added", "response.output_item.done"
_DELTA, _ARGUMENTS = "response.function_call_arguments.delta", "response.function_call_arguments.done"


class CallEvents:
    """The events of one answer. Those that are not about calls keep their place."""

    def __init__(self) -> None:
        self._open: dict[str, Any] | None = None  # the event that began the call
        self._arguments: list[str] = []
        self._ended: set[str] = set()
        self._number = -1  # of the last event
        self._moved = False  # whether an event was sent earlier than LiteLLM did

    def feed(self, piece: bytes) -> bytes:
        """What is sent in place of `piece`, which holds an event or a sign of life."""
        event = read_event(piece)
        if event is None:
            return piece
        if _item_id(event) in self._ended and event.kind in (_ARGUMENTS, _DONE):
            return event.rest
        ends = self._step(event)
        if ends:
            self._moved = True
        elif not self._moved:
            self._number = event.data.get("sequence_number", self._number)
            return piece
        return b"".join(self._numbered(each).written() for each in (*ends, event))

    def _step(self, event: Event) -> list[Event]:
        """The end of the open call, where `event` begins another item."""
        ends: list[Event] = []
        if event.kind == _ADDED:
            ends = self._ends()
            if (event.data.get("item") or {}).get("type") == "function_call":
                self._open, self._arguments = event.data, []
        elif self._open and _item_id(event) == self._open["item"].get("id"):
            if event.kind == _DELTA:
                self._arguments.append(str(event.data.get("delta", "")))
            elif event.kind == _DONE:
                self._open = None
        return ends

    def _ends(self) -> list[Event]:
        if not self._open:
            return []
        item, index = self._open["item"], self._open.get("output_index")
        arguments = "".join(self._arguments)
        self._open = None
        self._ended.add(str(item.get("id")))
        finished = {**item, "arguments": arguments, "status": "completed"}
        return [
            Event({"type": _ARGUMENTS, "item_id": item.get("id"), "output_index": index, "arguments": arguments}),
            Event({"type": _DONE, "output_index": index, "item": finished}),
        ]

    def _numbered(self, event: Event) -> Event:
        self._number += 1
        return event.with_data(sequence_number=self._number)


def _item_id(event: Event) -> str | None:
    item = event.data.get("item")
    return event.data.get("item_id") or (item.get("id") if isinstance(item, dict) else None)
