"""What the text of an answer turns out to hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from custom_handlers.wire.events import Delta

_PIECE = 4096


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """`arguments` is strict JSON that fits the tool's schema."""

    index: int
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A call that cannot be made: what the model wrote, and the reason in words for the model."""

    raw: str
    reason: str


Part: TypeAlias = Text | Thought | Call | Broken


def deltas(part: Text | Thought | Call, *, legacy: bool = False) -> Iterator[Delta]:
    """`part` as OpenAI streams it; with `legacy` a call becomes the one `function_call` of the old interface."""
    match part:
        case Text(text):
            yield Delta({"content": text})
        case Thought(text):
            yield Delta({"reasoning_content": text})
        case Call(_, _, name, arguments) if legacy:
            yield Delta({"function_call": {"name": name, "arguments": arguments}})
        case Call(index, call_id, name, arguments):
            head = {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
            yield Delta({"tool_calls": [head]})
            for at in range(0, len(arguments), _PIECE):
                yield Delta({"tool_calls": [{"index": index, "function": {"arguments": arguments[at : at + _PIECE]}}]})
