"""Calls of models that were trained on another format than the one they are asked for (docs/tool-calls.md)."""

import json

import pytest

from custom_handlers.emulation.parser.segments import InvalidToolCall, ToolCall
from tests.unit.custom_handlers.emulation.parsing import (
    CALL,
    READ,
    READS,
    TOOLS,
    call,
    merged,
    parse,
    seen,
    tool,
    tool_config,
)

ARGUMENTS = '{"path": "a.py"}'
SYNTAXES = [
    f"<function=read>{ARGUMENTS}</function>",
    "<function=read>\n<parameter=path>\na.py\n</parameter>\n</function>",
    "<function=read><parameter=path>a.py</parameter></function>\n</tool_call>",
    '<function name="read"><parameter name="path">a.py</parameter></function>',
    "<tool_call>\n<function=read>\n<parameter=path>\na.py\n</parameter>\n</function>\n</tool_call>",
    '<invoke name="read"><parameter name="path">a.py</parameter></invoke>',
    '<function_calls>\n<invoke name="read">\n<parameter name="path">a.py</parameter>\n</invoke>\n</function_calls>',
    '<minimax:tool_call>\n<invoke name="read">\n<parameter name="path">a.py</parameter>\n</invoke>\n'
    "</minimax:tool_call>",
    "<tool_call>read<arg_key>path</arg_key><arg_value>a.py</arg_value></tool_call>",
    "<tool_call>read\n<arg_key>path</arg_key>\n<arg_value>a.py</arg_value>\n</tool_call>",
    f"<tool_call>read\n{ARGUMENTS}\n</tool_call>",
    f"[TOOL_CALLS][{READ}]",
    f"[TOOL_CALLS] {READ}",
    f"[TOOL_CALLS]read[ARGS]{ARGUMENTS}",
    f"[TOOL_CALLS]read[CALL_ID]123456789[ARGS]{ARGUMENTS}",
    f"[TOOL_CALLS]read{ARGUMENTS}",
    f"<|channel|>commentary to=functions.read <|constrain|>json<|message|>{ARGUMENTS}<|call|>",
    f"<|start|>assistant to=functions.read<|channel|>commentary json<|message|>{ARGUMENTS}",
    f"commentary to=functions.read json\n{ARGUMENTS}",
    f"assistantcommentary to=functions.read json{ARGUMENTS}",
    f"to=functions.read {ARGUMENTS}",
    f"<|tool_calls_section_begin|><|tool_call_begin|>functions.read:0<|tool_call_argument_begin|>{ARGUMENTS}"
    "<|tool_call_end|><|tool_calls_section_end|>",
    f"<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>read\n```json\n{ARGUMENTS}\n```<｜tool▁call▁end｜>"
    "<｜tool▁calls▁end｜>",
    f"<｜tool▁call▁begin｜>read<｜tool▁sep｜>{ARGUMENTS}<｜tool▁call▁end｜>",
    '<｜DSML｜function_calls>\n<｜DSML｜invoke name="read">\n<｜DSML｜parameter name="path" string="true">a.py'
    "</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>",
    '<|tool_call>call:read{path:<|"|>a.py<|"|>}<tool_call|>',
    f"<|python_tag|>{READ}",
    "<|python_start|>[read(path='a.py')]<|python_end|>",
    "[read(path='a.py')]",
    '{"type": "function", "name": "read", "parameters": {"path": "a.py"}}',
    '{"arguments": {"path": "a.py"}, "name": "read"}',
    f"{READ}\n</tool_call>",
    "<read>\n<path>a.py</path>\n</read>",
    f"\ufeff{READ}",
    f"\ufeff{CALL}",
    f"\u200b<tool_call>\u200b{READ}\u200b</tool_call>\u200b",
    f'<tool_call type="function">{READ}</tool_call>',
    '<tool_call>{"name": "functions/read", "arguments": {"path": "a.py"}}</tool_call>',
    '<tool_call>{"name": " READ ", "arguments": "{\\"path\\": \\"a.py\\"}"}</tool_call>',
    '<tool_call>{"name": "read", "arguments": "a.py"}</tool_call>',
]


@pytest.mark.parametrize("written", SYNTAXES)
def test_every_syntax_is_read_where_it_stands_alone(written: str) -> None:
    assert seen(written) == merged(parse(*written)) == [READS]
    assert seen(f"I look.\n{written}") == [("Text", "I look."), READS]
    assert seen(f"```\n{written}\n```") == [READS]


@pytest.mark.parametrize("written", [written for written in SYNTAXES if "\ufeff" not in written])
def test_and_is_text_where_it_is_quoted(written: str) -> None:
    for answer in (f"Such as:\n```\n{written}\n```\nThat is it.", f"Such as `{written}`, for example."):
        assert seen(answer) == [("Text", answer)]


@pytest.mark.parametrize(
    ("written", "calls"),
    [
        (
            "<function=now>\n</function>\n<function=read>\n<parameter=path>\na.py\n</parameter>\n</function>",
            [call(0, "now"), call(1, "read", path="a.py")],
        ),
        (
            '<function_calls>\n<invoke name="now">\n</invoke>\n<invoke name="read">\n'
            '<parameter name="path">a.py</parameter>\n</invoke>\n</function_calls>',
            [call(0, "now"), call(1, "read", path="a.py")],
        ),
        ("<tool_call>now</tool_call>\n<tool_call>now\n</tool_call>", [call(0, "now"), call(1, "now")]),
        ("[TOOL_CALLS]now[ARGS]{}[TOOL_CALLS]now[ARGS]{}", [call(0, "now"), call(1, "now")]),
        ('<invoke name="now"/>', [call(0, "now")]),
        (f"{READ}\n{READ}", [READS, call(1, "read", path="a.py")]),
        ('<tool_call>{"name": "now", "arguments": "null"}</tool_call>', [call(0, "now")]),
        ('<tool_call>{"name": "now", "arguments": null}</tool_call>', [call(0, "now")]),
        ("<tool_call>read<arg_key>path</arg_key><arg_value>7</arg_value></tool_call>", [call(0, "read", path="7")]),
        (
            "<function=read><parameter=path>a</parameter><parameter=lines>7</parameter></function>",
            [call(0, "read", path="a", lines=7)],
        ),
        (
            "<tool_call>read<arg_key>path</arg_key><arg_value> a\n</arg_value><arg_key>lines</arg_key>"
            "<arg_value>7</arg_value></tool_call>",
            [call(0, "read", path=" a\n", lines=7)],
        ),
    ],
)
def test_several_calls_no_arguments_and_values_of_other_types(written: str, calls: list[tuple[str, ...]]) -> None:
    assert seen(written) == merged(parse(*written)) == calls


@pytest.mark.parametrize(
    "content",
    [
        "it's \"quoted",
        "</function> and </tool_call> and <parameter=path> in a line",
        "a </parameter> in a line",
        "<html>\n <b>x</b>\n</html>",
        "a\n\n",
        "  indented\n",
        '{"name": "read", "arguments": {}}',
        "<tool_call>",
        "```\nx\n```",
    ],
)
@pytest.mark.parametrize(
    "form",
    [
        "<function=write>\n<parameter=path>\np\n</parameter>\n<parameter=content>\n{}\n</parameter>\n</function>",
        '<invoke name="write"><parameter name="path">p</parameter><parameter name="content">{}</parameter></invoke>',
        "<tool_call>write<arg_key>path</arg_key><arg_value>p</arg_value><arg_key>content</arg_key><arg_value>{}</arg_value>"
        "</tool_call>",
    ],
)
def test_values_between_tags_hold_anything(form: str, content: str) -> None:
    answer = form.replace("{}", content)
    assert seen(answer) == merged(parse(*answer)) == [call(0, "write", path="p", content=content)]


PATCH = "*** Begin Patch\n*** Update File: a.py\n@@\n-x = \"a\n+it's </tool_call>\n*** End Patch"


@pytest.mark.parametrize(
    "form",
    [
        "<tool_call>{patch}</tool_call>",
        "<tool_call>\n{patch}\n</tool_call>",
        '<tool_call>{{"name": "apply_patch", "arguments": {json}}}</tool_call>',
        '<tool_call>{{"name": "apply_patch", "arguments": {{"input": {json}}}}}</tool_call>',
        "<function=apply_patch>\n<parameter=input>\n{patch}\n</parameter>\n</function>",
    ],
)
@pytest.mark.parametrize("kind", ["function", "custom"])
def test_a_patch_is_the_one_argument_that_can_be_meant(form: str, kind: str) -> None:
    patcher = tool("apply_patch", {"input": {"type": "string"}}, ["input"])
    if kind == "custom":
        patcher = {"type": "custom", "custom": {"name": "apply_patch"}}
    given = tool_config(tools=[patcher, *TOOLS])
    [found] = parse(form.format(patch=PATCH, json=json.dumps(PATCH)), given=given)
    assert isinstance(found, ToolCall)
    assert (found.name, json.loads(found.arguments), found.custom) == (
        "apply_patch",
        {"input": PATCH},
        kind == "custom",
    )


def test_a_patch_without_a_tool_for_it_is_broken() -> None:
    assert [part[0] for part in seen(f"<tool_call>{PATCH}</tool_call>")] == ["InvalidToolCall"]


@pytest.mark.parametrize(
    "answer",
    [
        '<invoke name="nobody"><parameter name="x">1</parameter></invoke>',
        "<function=nobody>{}</function>",
        "<function=read>",
        '<function=read>{"path": "a',
        "<function=read>\n<parameter=path>\na.py",
        "<function=read>\n<parameter=path>\na.py\n<parameter=lines>\n1\n</parameter>\n</function>",
        "<function=read><parameter=path>a</parameter><parameter=path>b</parameter></function>",
        "<function=re",
        '<invoke name="re',
        "[TOOL_CALLS]",
        '[TOOL_CALLS]read[ARGS]{"path": "a',
        "[TOOL_CALLS]nobody{}",
        '<|channel|>commentary to=functions.read <|constrain|>json<|message|>{"path": ',
        "<|start|>assistant to=functions.read<|channel|>comm",
        "to=functions.nobody {}",
        "<tool_call>read<arg_key>path</arg_key><arg_value>a.py",
        "<tool_call>read path: a.py</tool_call>",
        '{"name": "read", "arguments": {}}',
        '{"name": "read", "arguments": {"path": "a',
        "[read(file='a.py')]",
        f"<think>I read it.\n{CALL}",
    ],
)
def test_what_cannot_be_made_is_an_attempt(answer: str) -> None:
    for before in ("", "I look.\n"):
        found = merged(parse(f"{before}{answer}"))
        assert found[-1][0] == "InvalidToolCall", found
        assert found == merged(parse(*f"{before}{answer}"))


def test_a_bare_call_without_the_tool_is_an_answer() -> None:
    for answer in ('{"name": "nobody", "arguments": {}}', '{"name": "read"}', '[{"name": "read"}]'):
        given = tool_config(tools=[TOOLS[1]])
        assert merged(parse(answer, given=given)) == [("Text", answer)]
    assert merged(parse(READ, given=tool_config(tool_choice="none"))) == [("Text", READ)]


def test_reasons_are_words_for_the_model() -> None:
    *_, broken = parse("<function=read>\n<parameter=path>\na\n<parameter=lines>\n1\n</parameter>\n</function>")
    assert isinstance(broken, InvalidToolCall)
    assert broken.reason == "its parameter `path` does not end"
