"""What the text of an answer turns out to hold."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from custom_handlers.core.events import Delta

_PIECE = 4096


# One of these is made for every piece of a stream: a frozen class takes three times as long for it.
@dataclass(slots=True, unsafe_hash=True)
class Text:
    text: str


@dataclass(slots=True, unsafe_hash=True)
class Reasoning:
    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """`arguments` is strict JSON of an object that fits the tool's schema, unless it is `unproven`: then the check was
    too expensive and is still to be done. The one argument of a `custom` tool is the string `input`.
    """

    index: int
    id: str
    name: str
    arguments: str
    custom: bool = False
    unproven: bool = False


@dataclass(frozen=True, slots=True)
class InvalidToolCall:
    """A call that cannot be made: what the model wrote, and the reason in words for the model.

    `call` is there when the call is complete and only misfits its tool's schema.
    """

    raw: str
    reason: str
    call: ToolCall | None = None


Segment: TypeAlias = Text | Reasoning | ToolCall | InvalidToolCall


def deltas(part: Text | Reasoning | ToolCall, *, functions_api: bool = False) -> Iterator[Delta]:
    """`part` as OpenAI streams it; with `functions_api` a call becomes the one `function_call` of the old interface."""
    match part:
        case Text(text):
            yield Delta({"content": text})
        case Reasoning(text):
            yield Delta({"reasoning_content": text})
        case ToolCall(_, _, name, arguments) if functions_api:
            yield Delta({"function_call": {"name": name, "arguments": arguments}})
        case ToolCall(index, call_id, name, arguments):
            kind, field = ("custom", "input") if part.custom else ("function", "arguments")
            text = json.loads(arguments)["input"] if part.custom else arguments
            yield Delta(
                {"tool_calls": [{"index": index, "id": call_id, "type": kind, kind: {"name": name, field: ""}}]}
            )
            for at in range(0, len(text), _PIECE):
                yield Delta({"tool_calls": [{"index": index, kind: {field: text[at : at + _PIECE]}}]})
