"""The parts are the same for every way of cutting an answer into pieces."""

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from custom_handlers.emulation.parser.segments import InvalidToolCall, Reasoning, Text, ToolCall
from custom_handlers.emulation.parser.tool_call_parser import ToolCallParser
from tests.unit.custom_handlers.emulation.parsing import CALL, READ, merged, parse, tool_config

_JSON = [
    READ,
    READ[:-1],
    '{"path": "a.py"}',
    '{"name":',
    '"name": "x"',
    '{"name": "now"}',
    "{",
    "}",
    "[",
    '"',
    "'",
    "\\",
]
_JSON += ['{"name": "write", "arguments": {"path": "</tool_call>", "content": "\\n\'`"}}']
_TAGS = ["<tool_call>", "</tool_call>", "<tool_call id='1'>", "<tool_calls>", "tool_call>", "</tool_call ", CALL]
_TAGS += ["<tool_response>", "&lt;tool_call&gt;", "&lt;/tool_call&gt;", "<", ">", "</", "&", "&lt;"]
_NAMED = ["<function=read>", "</function>", "<parameter=path>", "</parameter>", '<invoke name="read">', "</invoke>"]
_NAMED += ['<parameter name="path">', "<function_calls>", "</function_calls>", "<read>\n<path>", "</path>\n", "</read>"]
_NAMED += ["read<arg_key>path</arg_key><arg_value>", "</arg_value>", "read(path='x')", "[read(", "path='a.py')]"]
_NAMED += ["*** Begin Patch\n", "*** End Patch\n", "...", "a.py"]
_TOKENS = ["[TOOL_CALLS]", "[TOOL_CALLS]read[ARGS]", "<|call|>", "<|end|>", "<|start|>assistant", "<|python_tag|>"]
_TOKENS += ["<|channel|>commentary to=functions.read <|constrain|>json<|message|>", "to=functions.read json\n"]
_TOKENS += ["<|tool_call_begin|>functions.read:0<|tool_call_argument_begin|>", "<|tool_call_end|>", "commentary "]
_TOKENS += [
    "<｜tool▁call▁begin｜>",
    "<｜tool▁sep｜>",
    "<｜tool▁call▁end｜>",
    "<|tool_call>call:read{path:",
    '<|"|>',
    "<tool_call|>",
]
_THOUGHTS = ["<think>", "</think>", "<thinking>", "</thinking>", "<thought>", "</thought>", "<reasoning>", "[THINK]"]
_THOUGHTS += ["[/THINK]", "<|channel|>analysis<|message|>", "<|channel>thought\n", "<channel|>"]
_QUOTES = ["`", "``", "```", "```json\n", "````md\n", "~~~\n", f"```\n{CALL}\n```\n", "> ", "    ", "\t", "<example>\n"]
_QUOTES += ["</example>", "\\<"]
_TURNS = [
    "=== ",
    "=== TOOL ===",
    "=== TOOLS",
    "=",
    "=== USER ===\n",
    "=== USER k7q2mx ===",
    "=== USER (bob) k7q2mx ===\n",
]
_PLAIN = ["a", "b ", "\n", "  ", "\n\n", "\r\n", "\u200b", "\ufeff", " " * 100, "\n" * 200, "x" * 130, f"\n{CALL}\n"]
_LINES = [
    "The ",
    "\nand ",
    "\nclass",
    "\nassistant",
    "\nanalysis",
    "\nto=",
    "\n- ",
    " <b>",
    "<pre>",
    "`x`",
    "[T",
    "[x](y)",
]
_LINES += ["```py\nx = 1\n\ny\n```\n", "\n  ``", "\n ~", "Text.\n\n", "\n    code\n"]
_KINDS = (_JSON, _TAGS, _NAMED, _TOKENS, _THOUGHTS, _QUOTES, _TURNS, _PLAIN, _LINES)
# Each kind as often as the others, so that marks meet what they belong to.
FRAGMENTS = st.sampled_from(_KINDS).flatmap(st.sampled_from)
answers = st.lists(FRAGMENTS, max_size=14).map("".join) | st.text(
    st.sampled_from("<tol_cal>/ `{}\"'\\\n&;=|"), max_size=60
)


def all_of(*pieces: str, turns: bool, thinking_open: bool, **parameters: Any) -> tuple[Any, str]:
    given = None if parameters.pop("none", False) else tool_config(**parameters)
    parser = ToolCallParser(given, thinking_open=thinking_open, turns=turns)
    parts = [part for piece in pieces for part in parser.feed(piece)] + parser.finish()
    return merged(parts), parser.unfinished_thought


class TestInvariance:
    @settings(max_examples=5 * settings().max_examples)
    @given(
        answers,
        st.data(),
        st.sampled_from([{}, {"parallel_tool_calls": False}, {"none": True}]),
        st.booleans(),
        st.booleans(),
    )
    @example("a" + " " * 250 + "```json\n<tool_call id='1'>" + READ + "</tool_call>", None, {}, False, False)
    @example(f"<tool_call>{READ}</tool_call>=== TOOLS", None, {}, False, True)
    @example("<tool_responses>", None, {}, False, False)
    @example(" " * 100 + "[THINK]`", None, {}, False, True)
    @example("\u200b~~~\n<|channel>thought\n", None, {}, False, True)
    @example(
        f"```\n{CALL}\n```\n<|tool_call_begin|>functions.read:0<|tool_call_argument_begin|>", None, {}, False, True
    )
    def test_the_pieces_make_no_difference(
        self, answer: str, data: Any, parameters: dict[str, Any], thinking_open: bool, turns: bool
    ) -> None:
        whole = all_of(answer, turns=turns, thinking_open=thinking_open, **parameters)
        assert all_of(*answer, turns=turns, thinking_open=thinking_open, **parameters) == whole
        if data:
            cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=8)))
            pieces = [answer[a:b] for a, b in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
            assert all_of(*pieces, turns=turns, thinking_open=thinking_open, **parameters) == whole

    @settings(max_examples=2 * settings().max_examples)
    @given(answers)
    def test_what_leaves_is_right(self, answer: str) -> None:
        parts = parse(answer)
        for part in parts:
            if isinstance(part, ToolCall):
                found = tool_config().arguments(part.name, json.loads(part.arguments))
                assert (found.json, found.misfit) == (part.arguments, None)
        assert [part.index for part in parts if isinstance(part, ToolCall)] == list(
            range(sum(isinstance(p, ToolCall) for p in parts))
        )
        assert not any(isinstance(part, InvalidToolCall) for part in parts[:-1])
        assert all(part.text for part in parts if isinstance(part, Text | Reasoning))

    @settings(max_examples=2 * settings().max_examples)
    @given(answers)
    def test_an_answer_without_calls_is_emitted_byte_for_byte(self, answer: str) -> None:
        parts = parse(answer)
        marks = ("<|", "[TH", "[/TH", "think", "thought>", "reasoning>", "<channel|>", "=== ", "</s>")
        if all(isinstance(part, Text) for part in parts) and not any(mark in answer for mark in marks):
            assert "".join(part.text for part in parts if isinstance(part, Text)) == answer
