"""The parser's time grows with the answer and no faster, whatever a model or a faulty upstream sends."""

import json
from time import thread_time

import pytest

from custom_handlers.emulation.parser.segments import ToolCall
from custom_handlers.emulation.parser.tool_call_parser import ToolCallParser
from tests.sampling import every
from tests.unit.custom_handlers.emulation.parsing import CALL, READ, parse, tool_config

UNITS = {
    "openings": "<tool_call>",
    "openings in prose": "a <tool_call>x ",
    "openings in a line": "a <tool_call>{ ",
    "parameters that never end": "x <tool_call>{<parameter=a></tool_call> ",
    "quotes that do not match": "x <tool_call>{'\"</tool_call> ",
    "ends": "</tool_call>",
    "names": "<function=read>",
    "invocations": '<invoke name="read">',
    "children": "<read>\n<path>",
    "patches": "<tool_call>*** Begin Patch\n",
    "pairs": "<tool_call>read<arg_key>path</arg_key><arg_value>",
    "tokens": "<|channel|>commentary to=functions.read <|message|>",
    "mistral": "[TOOL_CALLS]read{",
    "quoted calls": f"a {CALL} ",
    "calls": f"{CALL}\n",
    "bare calls": f"{READ}\n",
    "bare beginnings": '\n{"name": "read", ',
    "lists": "[read(",
    "thoughts": "<think>",
    "thoughts in a line": "a <think>",
    "ends of thoughts": "</think>",
    "less-than": "<",
    "backticks": "`",
    "fences": "```\n",
    "fences of calls": f"```\n{CALL}\n```\n",
    "other fences": "~~~\n",
    "headers": "=== USE\n",
    "equals": "=\n",
    "quotes": "\"'",
    "brackets": "[{",
    "blanks": " ",
    "lines": "\n",
    "indented": "\n    <tool_call>",
}
BEFORE = {"": "", "in a call": '<tool_call>{"', "in a parameter": "<function=read>\n<parameter=path>"}
BEFORE |= {"in a fence": f"```\n{CALL}\n", "in a thought": "<think>", "in JSON": '{"name": "read", "arguments": '}
_SIZE = 16_000
_TIMES = 8  # quadratic growth would be 64 times the time


def cost(answer: str, piece: int = 4096) -> float:
    started = thread_time()
    parser = ToolCallParser(tool_config(), turns=True)
    for at in range(0, len(answer), piece):
        parser.feed(answer[at : at + piece])
    parser.finish()
    return thread_time() - started


@pytest.mark.parametrize(
    "before", [pytest.param(text, id=name, marks=pytest.mark.thorough if text else ()) for name, text in BEFORE.items()]
)
@pytest.mark.parametrize("unit", every(3, UNITS))
def test_time_grows_with_the_answer(unit: str, before: str) -> None:
    small, large = (before + UNITS[unit] * (size // len(UNITS[unit])) for size in (_SIZE, _SIZE * _TIMES))
    ratios = []
    for _ in range(3):  # others share the machine: the best of some tries
        ratios.append(cost(large) / max(cost(small), 0.002))
        if ratios[-1] < 3 * _TIMES:
            return
    pytest.fail(f"{_TIMES} times the answer takes {min(ratios):.0f} times as long")


def test_a_long_line_is_looked_over_once() -> None:
    """What a call holds that never ends is one line of text after all, and all in it that looks like a mark is met."""
    small, large = ('<tool_call>"' + "</tool_call>" * number for number in (8_000, 128_000))
    ratios = []
    for _ in range(3):
        ratios.append(cost(large, 16) / cost(small, 16))
        if ratios[-1] < 32:
            return
    pytest.fail(f"16 times the answer takes {min(ratios):.0f} times as long")


@pytest.mark.parametrize("content", ["x" * 5_000_000, "\\" * 1_000_000, '"' * 500_000, "</tool_call>\n" * 100_000])
def test_a_large_argument_is_read(content: str) -> None:
    body = json.dumps({"name": "write", "arguments": {"path": "p", "content": content}})
    [found] = parse(f"<tool_call>{body}</tool_call>")
    assert isinstance(found, ToolCall)
    assert json.loads(found.arguments)["content"] == content
