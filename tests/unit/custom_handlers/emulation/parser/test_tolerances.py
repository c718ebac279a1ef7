"""Each tolerance has a name, a source in docs/tool-calls.md, and an example here."""

import ast
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from canitoolcall.fixtures import load_fixtures

from custom_handlers.emulation import conversion
from custom_handlers.emulation.parser import json_calls, markers, tagged_calls
from tests.harness import ROOT
from tests.unit.custom_handlers.emulation.parsing import (
    CALL,
    READ,
    READS,
    TOOLS,
    call,
    merged,
    parse,
    tool,
    tool_config,
)

Parts = Sequence[tuple[str, ...]]
ARGUMENTS = '{"path": "a.py"}'
PATCH = "*** Begin Patch\n*** Add File: a\n+a\n*** End Patch"
OPTIONS: dict[str, Any] = {
    "count": {"type": "integer"},
    "flag": {"type": "boolean"},
    "tags": {"type": "array", "items": {"type": "string"}},
    "todos": {"type": "array", "items": {"type": "object", "required": ["id"]}},
    "where": {"type": "object", "required": ["id"]},
    "mode": {"enum": ["Fast", "2"]},
    "maybe": {"type": ["integer", "null"]},
    "file_path": {"type": "string"},
}
OFFERED = [
    *TOOLS,
    tool("set", OPTIONS),
    tool("apply_patch", {"input": {"type": "string"}}, ["input"]),
    tool("mcp__files__list_all", {}),
    tool("open", {"file_path": {"type": "string"}}, ["file_path"]),
]


def named(name: str) -> str:
    return f'<tool_call>{{"name": "{name}", "arguments": {ARGUMENTS}}}</tool_call>'


def setting(meant: dict[str, Any], **arguments: Any) -> tuple[str, Parts]:
    """A call of `set` with `arguments`, and what they are read as."""
    body = json.dumps({"name": "set", "arguments": arguments})
    return f"<tool_call>{body}</tool_call>", [call(0, "set", **meant)]


def listing(name: str) -> tuple[str, Parts]:
    return f'<tool_call>{{"name": "{name}"}}</tool_call>', [call(0, "mcp__files__list_all")]


HI = ("Text", "Hi")
HM = [("Reasoning", "Hm."), HI]
PATCHES = [call(0, "apply_patch", input=PATCH)]
TWO = [READS, call(1, "read", path="a.py")]
PARAMETER = '<parameter name="path">a.py</parameter>'
# What a model writes, and what is made of it. Without parts it is a call that reads a.py.
EXAMPLES: dict[str, list[str | tuple[str, Parts]]] = {
    # Forms of calls
    "tool_call": [CALL, f"<tool_call>\n{READ}\n</tool_call>"],
    "call id": [f'<tool_call id="call_1">{READ}</tool_call>'],
    "several objects": [(f"<tool_call>{READ}\n{READ}</tool_call>", TWO)],
    "no end tag": [f"<tool_call>{READ}", (f"<tool_call>{READ}\n{CALL}", TWO)],
    "end tag cut off": [f"<tool_call>{READ}</tool"],
    "stray end tag": [f"{CALL}</tool_call>", f"{CALL}\n</function>", f"{CALL}<|im_end|>", f"{CALL}</s>"],
    "call behind text": [(f"Hi{CALL}", [HI, READS])],
    "tool_calls": [f"<tool_calls>[{READ}]</tool_calls>", f"<tool_calls>\n{CALL}\n</tool_calls>"],
    "arguments as text": ['<tool_call>{"name": "read", "arguments": "{\\"path\\": \\"a.py\\"}"}</tool_call>'],
    "function=, JSON": [f"<function=read>{ARGUMENTS}</function>"],
    "function=, parameters": [
        "<tool_call>\n<function=read>\n<parameter=path>\na.py\n</parameter>\n</function>\n</tool_call>",
        "<function=read>\n<parameter=path>\na.py\n</parameter>\n</function>",
    ],
    "function name=": ['<function name="read"><param name="path">a.py</param></function>'],
    "invoke": [
        f'<function_calls>\n<invoke name="read">\n{PARAMETER}\n</invoke>\n</function_calls>',
        f'<invoke name="read">{PARAMETER}</invoke>',
        '<antml:function_calls>\n<antml:invoke name="read">\n<antml:parameter name="path">a.py</antml:parameter>\n'
        "</antml:invoke>\n</antml:function_calls>",
    ],
    "minimax:tool_call": [f'<minimax:tool_call>\n<invoke name="read">\n{PARAMETER}\n</invoke>\n</minimax:tool_call>'],
    "DSML": [
        *(
            f'<｜DSML｜{block}>\n<｜DSML｜invoke name="read">\n<｜DSML｜parameter name="path" string="true">a.py'
            f"</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜{block}>"
            for block in ("function_calls", "tool_calls")
        ),
        '<｜DSML｜ calls>\n<｜DSML｜ invoke name="read">\n<｜DSML｜ parameter name="path" string="true">a.py'
        "</｜DSML｜ parameter>\n</｜DSML｜ invoke>\n</｜DSML｜ calls>",
    ],
    "arg_key": ["<tool_call>read<arg_key>path</arg_key><arg_value>a.py</arg_value></tool_call>"],
    "name alone": [("<tool_call>now</tool_call>", [call(0, "now")])],
    "name before JSON": [f"<tool_call>read\n{ARGUMENTS}\n</tool_call>"],
    "harmony": [
        f"<|channel|>commentary to=functions.read <|constrain|>json<|message|>{ARGUMENTS}<|call|>",
        f"<|start|>assistant to=functions.read<|channel|>commentary json<|message|>{ARGUMENTS}",
        ("<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Hi<|return|>", HM),
    ],
    "harmony without tokens": [
        f"commentary to=functions.read json\n{ARGUMENTS}",
        f"assistantcommentary to=functions.read json{ARGUMENTS}",
        f"analysis to=functions.read {ARGUMENTS}",
    ],
    "TOOL_CALLS": [
        f"[TOOL_CALLS][{READ}]",
        f"[TOOL_CALLS]read[ARGS]{ARGUMENTS}",
        f"[TOOL_CALLS]read[CALL_ID]123456789[ARGS]{ARGUMENTS}",
        f"[TOOL_CALLS]read{ARGUMENTS}",
    ],
    "tool_call_begin": [
        f"<|tool_calls_section_begin|><|tool_call_begin|>functions.read:0<|tool_call_argument_begin|>{ARGUMENTS}"
        "<|tool_call_end|><|tool_calls_section_end|>"
    ],
    "tool▁call▁begin": [
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>read\n"
        f"```json\n{ARGUMENTS}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        f"<｜tool▁call▁begin｜>read<｜tool▁sep｜>{ARGUMENTS}<｜tool▁call▁end｜>",
    ],
    "call:": ['<|tool_call>call:read{path:<|"|>a.py<|"|>}<tool_call|>'],
    "python_tag": [f"<|python_tag|>{READ}<|eom_id|>", f"<|python_tag|>{READ}<|eot_id|>"],
    "Python calls": ["[read(path='a.py')]", "<|python_start|>[read(path='a.py')]<|python_end|>"],
    "Python calls in tags": [
        "<function_calls>\nread(path='a.py')\n</function_calls>",
        "<tool_call>read(path='a.py')</tool_call>",
        f"<tool_call>read({ARGUMENTS})</tool_call>",
    ],
    "JSON alone": [READ, f"[{READ}]", (f"Hi\n{READ}", [HI, READS]), f'{{"arguments": {ARGUMENTS}, "name": "read"}}'],
    "semicolons": [(f"<tool_call>{READ}; {READ}</tool_call>", TWO)],
    "parameters": [
        f'{{"type": "function", "name": "read", "parameters": {ARGUMENTS}}}',
        f'{{"parameters": {ARGUMENTS}, "name": "read"}}',
    ],
    "other keys for the name": [
        f'{{"tool": "read", "arguments": {ARGUMENTS}}}',
        f'{{"function": "read", "arguments": {ARGUMENTS}}}',
    ],
    "function object": [f'{{"type": "function", "function": {READ}}}', f'{{"function": {READ}}}'],
    "end tag without a beginning": [f"{READ}\n</tool_call>"],
    "child tags": ["<read>\n<path>a.py</path>\n</read>"],
    "patch between the tags": [(f"<tool_call>{PATCH}</tool_call>", PATCHES)],
    "code fence": [f"```\n{CALL}\n```", f"```json\n{READ}\n```", (f"Hi\n~~~\n{CALL}\n~~~", [HI, READS])],
    "code fence in the tags": [f"<tool_call>```json\n{READ}\n```</tool_call>"],
    "characters that nobody sees": [f"\ufeff{READ}", f"\u200b<tool_call>\u200b{READ}\u200b</tool_call>\u200b"],
    # JSON
    "trailing comma": ['<tool_call>{"name": "read", "arguments": {"path": "a.py",},}</tool_call>'],
    "bracket missing": ['<tool_call>{"name": "read", "arguments": {"path": "a.py"}</tool_call>'],
    "bracket too many": [f"<tool_call>{READ}}}</tool_call>"],
    "raw control characters": [
        (
            '<tool_call>{"name": "write", "arguments": {"path": "a", "content": "a\n\tb"}}</tool_call>',
            [call(0, "write", path="a", content="a\n\tb")],
        )
    ],
    "Python's words": [
        ('<tool_call>{"name": "set", "arguments": {"flag": True}}</tool_call>', [call(0, "set", flag=True)]),
        ('<tool_call>{"name": "set", "arguments": {"maybe": None}}</tool_call>', [call(0, "set", maybe=None)]),
    ],
    "Python's quotes": ["<tool_call>{'name': 'read', 'arguments': {'path': 'a.py'}}</tool_call>"],
    "HTML entities": [f"<tool_call>{READ.replace(chr(34), '&quot;')}</tool_call>"],
    # Names of tools
    "namespace": [named("functions.read"), named("repo_browser/read"), named("default_api:read")],
    "short name": [listing("list_all"), listing("files__list_all")],
    "case and separators": [named("READ"), listing("listAll"), listing("list-all")],
    "space around the name": [named(" read ")],
    # Arguments
    "no arguments": [
        (f'<tool_call>{{"name": "now"{arguments}}}</tool_call>', [call(0, "now")])
        for arguments in ("", *(f', "arguments": {value}' for value in ("null", '"null"', '""', "[]")))
    ],
    "text for the one argument": [
        (f'<tool_call>{{"name": "apply_patch", "arguments": {json.dumps(PATCH)}}}</tool_call>', PATCHES)
    ],
    "names of arguments": [
        ('<tool_call>{"name": "open", "arguments": {"filePath": "a"}}</tool_call>', [call(0, "open", file_path="a")])
    ],
    "wrapped value": [
        setting({"tags": ["a"]}, tags={"item": ["a"]}),
        setting({"where": {"id": 1}}, where={"arguments": {"id": 1}}),
        setting({"where": {"id": 1}}, where={"args": {"id": 1}}),
    ],
    "null for nothing": [setting({}, count=None)],
    "empty text for nothing": [setting({}, count="")],
    "null as text": [setting({"maybe": None}, maybe="null"), setting({}, count="None")],
    "number as text": [setting({"count": 30}, count="30")],
    "boolean as text": [setting({"flag": False}, flag="False")],
    "JSON as text": [
        setting({"todos": [{"id": 1}]}, todos='[{"id": 1}]'),
        setting({"where": {"id": 1}}, where='{"id": 1}'),
    ],
    "one for a list": [setting({"tags": ["a"]}, tags="a"), setting({"todos": [{"id": 1}]}, todos={"id": 1})],
    "list of one": [setting({"file_path": "a"}, file_path=["a"]), setting({"where": {"id": 1}}, where=[{"id": 1}])],
    "value of an enum": [setting({"mode": "Fast"}, mode="FAST")],
    "number for text in an enum": [setting({"mode": "2"}, mode=2)],
    # Thoughts
    "think": [("<think>\nHm.\n</think>\n\nHi", HM)],
    "thinking": [("<thinking>Hm.</thinking>Hi", HM)],
    "thought": [("<thought>Hm.</thought>Hi", HM)],
    "reasoning": [("<reasoning>Hm.</reasoning>Hi", HM)],
    "THINK": [("[THINK]Hm.[/THINK]Hi", HM)],
    "channel>thought": [("<|channel>thought\nHm.<channel|>Hi", HM)],
    "no beginning": [("Hm.</think>Hi", [("Text", "Hm.Hi")]), ("Hm.</thinking>Hi", [("Text", "Hm.Hi")])],
    "no end": [("<think>Hm.", [("Reasoning", "Hm.")])],
    "call in a thought": [(f"<think>{CALL}</think>{CALL}", [("Reasoning", CALL), READS])],
    # What is invented behind the answer
    "invented result": [f"{CALL}\n<tool_response>a</tool_response>\nHi"],
    "invented turn": [f"{CALL}\n=== {role} ===\nHi" for role in ("USER", "TOOL", "TOOLS", "SYSTEM", "FORMAT")],
    "own header": [f"=== ASSISTANT ===\n{CALL}", f"=== ASSISTANT (bob) k7q2mx ===\n{CALL}"],
}
ALL = [
    pytest.param(*(example if isinstance(example, tuple) else (example, [READS])), id=f"{name}-{number}")
    for name, examples in EXAMPLES.items()
    for number, example in enumerate(examples)
]
WRITTEN = "\n".join(str(parameters.values[0]) for parameters in ALL)


@pytest.mark.parametrize(("answer", "parts"), ALL)
def test_it_is_read(answer: str, parts: Parts) -> None:
    given = tool_config(tools=OFFERED)
    assert merged(parse(answer, given=given, turns=True)) == parts
    assert merged(parse(*answer, given=given, turns=True)) == parts


ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (ROOT / "docs" / "tool-calls.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| Name ")
]
RECORDED = {part for fixture in load_fixtures(None) for part in (fixture.family, fixture.id)}
SOURCES = (
    r"[\w.-]+/[\w.-]+#\d+",  # an issue or a pull request
    r"[\w.-]+/[\w.-]+(?:/[\w.-]+)+",  # a file of a repository
    r"corpus: [\w-]+(?:/[\w-]+)?",  # recorded answers
    r"https://[^ ]+",
    r"own form",  # what the gateway's prompt asks for, or shows
)


def test_each_has_a_row_in_the_document_and_each_row_an_example() -> None:
    assert [row[0] for row in ROWS] == list(EXAMPLES)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_row_names_who_has_seen_it(row: list[str]) -> None:
    assert len(row) == 4
    sources = row[3].split("; ")
    for source in sources:
        assert any(re.fullmatch(known, source) for known in SOURCES), source
        assert not source.startswith("corpus: ") or source.removeprefix("corpus: ") in RECORDED


def literals(module: Any) -> set[str]:
    """The texts that a module's patterns are put together from."""
    tree = ast.parse(Path(module.__file__).read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    found = [part for node in calls if node.func.id in ("one_of", "row") for part in node.args]  # type: ignore[attr-defined]
    texts = [part.value for part in found if isinstance(part, ast.Constant)]
    return {text for text in texts if isinstance(text, str) and re.search(r"\w\w", text)}


# They say that a call is quoted, so they are no tolerances.
QUOTING = {"pre", "code", "example", "blockquote", "xmp"}


def test_the_parser_knows_no_text_that_no_example_has() -> None:
    """So that none is added without a name and a source."""
    known = literals(markers) - QUOTING
    known |= {*json_calls._NAMES, *json_calls._ARGUMENTS, *conversion._WRAPPERS}
    assert len(known) > 50
    assert {text for text in known if text not in WRITTEN} == set()
    assert {text for text in (*conversion._NOTHING, *conversion._WORDS) if f'"{text}"' not in WRITTEN.lower()} == set()
    groups = {mark.lastgroup for mark in markers.OPEN.finditer(f"\n{WRITTEN}")}
    assert set(markers.OPEN.groupindex) - {"first", "quoting", "quoted"} <= groups
    for head in tagged_calls._HEADS:
        assert head.search(WRITTEN)
