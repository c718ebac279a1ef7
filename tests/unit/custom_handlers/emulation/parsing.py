"""Answers as the parser reads them, in a form that can be compared."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from custom_handlers.emulation.parser.segments import InvalidToolCall, Reasoning, Segment, Text, ToolCall
from custom_handlers.emulation.parser.tool_call_parser import ToolCallParser
from custom_handlers.emulation.tools import ToolConfig, read_tools


def tool(name: str, properties: dict[str, Any], required: Sequence[str] = ()) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


TOOLS = [
    tool("read", {"path": {"type": "string"}, "lines": {"type": "integer"}}, ["path"]),
    tool("write", {"path": {"type": "string"}, "content": {"type": "string"}}, ["path", "content"]),
    tool("now", {}),
]
READ = '{"name": "read", "arguments": {"path": "a.py"}}'
CALL = f"<tool_call>{READ}</tool_call>"


def tool_config(**parameters: Any) -> ToolConfig:
    found = read_tools({"tools": TOOLS, **parameters})
    assert found
    return found


def parse(
    *pieces: str, given: ToolConfig | None = None, thinking_open: bool = False, turns: bool = False
) -> list[Segment]:
    parser = ToolCallParser(given or tool_config(), thinking_open=thinking_open, turns=turns)
    return [part for piece in pieces for part in parser.feed(piece)] + parser.finish()


def merged(parts: Iterable[Segment]) -> list[tuple[str, ...]]:
    """The parts without their cuts and ids."""
    result: list[tuple[str, ...]] = []
    for part in parts:
        match part:
            case Text(text) | Reasoning(text) if result and result[-1][0] == type(part).__name__:
                result[-1] = (result[-1][0], result[-1][1] + text)
            case Text(text) | Reasoning(text):
                result.append((type(part).__name__, text))
            case ToolCall(index, _, name, arguments):
                result.append(("ToolCall", str(index), name, arguments))
            case InvalidToolCall(raw, reason):
                result.append(("InvalidToolCall", raw, reason))
    return result


def seen(answer: str, **more: Any) -> list[tuple[str, ...]]:
    return merged(parse(answer, **more))


def call(index: int, name: str, **arguments: Any) -> tuple[str, ...]:
    return ("ToolCall", str(index), name, json.dumps(arguments, ensure_ascii=False))


def text_of(parts: Iterable[tuple[str, ...]]) -> str:
    return "".join(part[1] for part in parts if part[0] == "Text")


READS = call(0, "read", path="a.py")
