"""What a coding agent sends, made up: tools, a conversation of any length, and texts that look like prose and code."""

import json
from typing import Any

CODE = '    if a < b and c["d"] != `x`:  # it\'s <b>code</b>\n        return [1, {"k": "v"}]\n'
PROSE = "The quick brown fox jumps over the lazy dog. "


def tools(number: int = 36) -> list[dict[str, Any]]:
    """As many tools as an agent with a few extensions brings, about 75 KB of them."""
    parameter = {"type": "string", "description": PROSE * 2}
    schema = {"type": "object", "properties": {f"parameter_{n}": parameter for n in range(10)}, "required": []}
    return [
        {"type": "function", "function": {"name": f"tool_{n}", "description": PROSE * 15, "parameters": schema}}
        for n in range(number)
    ]


def messages(size: int) -> list[dict[str, Any]]:
    """An agent's conversation of about `size` characters: half of it results of calls."""
    start: list[dict[str, Any]] = [{"role": "system", "content": PROSE * 300}, {"role": "user", "content": "Go."}]
    count = max((size - len(json.dumps(start))) // 5000, 1)
    return [*start, *turns(count)]


def turns(count: int, unit: int = 30) -> list[dict[str, Any]]:
    """Calls of a tool with their results, `unit` lines of code each."""
    result: list[dict[str, Any]] = []
    for turn in range(count):
        function = {"name": "tool_1", "arguments": json.dumps({"parameter_1": CODE * (unit * 2 // 3)})}
        call = {"id": f"call_{turn}", "type": "function", "function": function}
        result.append({"role": "assistant", "content": PROSE * (unit // 6), "tool_calls": [call]})
        result.append({"role": "tool", "tool_call_id": f"call_{turn}", "content": CODE * unit})
    return result


def write_call(size: int) -> str:
    """A model's answer: one call that writes a file of about `size` characters."""
    arguments = {"parameter_1": CODE * (size // len(CODE))}
    return f"<tool_call>{json.dumps({'name': 'tool_1', 'arguments': arguments})}</tool_call>"
