"""A call counts where it stands alone. What only quotes one is text, byte for byte."""

import pytest

from custom_handlers.emulation.parser.segments import Text
from custom_handlers.emulation.parser.tool_call_parser import ToolCallParser
from tests.unit.custom_handlers.emulation.parsing import (
    CALL,
    READ,
    READS,
    call,
    merged,
    parse,
    seen,
    text_of,
    tool_config,
)

ESCAPED = f"&lt;tool_call&gt;{READ}&lt;/tool_call&gt;"
INVOKE = '<invoke name="read"><parameter name="path">a.py</parameter></invoke>'


@pytest.mark.parametrize(
    "answer",
    [
        *(
            f"For example:\n```{kind}\n{body}\n```\nThat reads it."
            for kind in ("", "xml", "json")
            for body in (CALL, READ)
        ),
        f"For example:\n~~~\n{CALL}\n~~~\nThat reads it.",
        f"````md\n```\n{CALL}\n```\n````",
        f"```\n# how to call\n{CALL}\n```",
        f"```\n{CALL}\nreads it\n```",
        f"```\n{CALL}\n```\n```\n{CALL}\n```\nBoth.",
        f"Here:```xml\n{CALL}\n```\nThat reads it.",
        f"- so:\n  ```\n  {CALL}\n  ```\n- or not",
        f"> {CALL}",
        f">{CALL}",
        f"> It said:\n> {CALL}\n> and went on.",
        f"It said:\n\n    {CALL}\n",
        f"It said:\n\n\t{CALL}\n\nand went on.",
        f"\\{CALL}",
        f"Write \\{CALL} like that",
        f"\\<tool_call>{READ}\\</tool_call>",
        f"It wrote {ESCAPED} then.",
        f"It wrote:\n{ESCAPED}",
        f"{ESCAPED}\nis what it wrote.",
        ESCAPED,
        f"`{CALL}`",
        f"Use `{CALL}` for that.",
        f'It wrote "{CALL}".',
        f"A line such as {CALL} reads a file.",
        f"A line such as {INVOKE} reads a file.",
        f"<example>\n{CALL}\n</example>",
        f"<pre>\n{CALL}\n</pre>\nreads a file.",
        f"The log says:\n{READ}\nand then it stopped.",
        f"{READ} is what I would call.",
        f"```json\n{READ}\n```\nis what I would call.",
        f"```\n{INVOKE}\n```\nis what I would call.",
    ],
)
def test_what_only_quotes_a_call_is_text(answer: str) -> None:
    for pieces in ([answer], list(answer)):
        assert merged(parse(*pieces)) == [("Text", answer)]


@pytest.mark.parametrize(
    "answer",
    [
        "Models write <tool_call> ... </tool_call> around it.",
        "Models write <tool_call> ... </tool_call>",
        "<tool_call> ... </tool_call> is the pair of tags.",
        "<tool_call>...</tool_call>",
        "<tool_call>\n...\n</tool_call>",
        "The tags are <tool_call> and </tool_call>.",
        "The tags are <tool_call> and </tool_call>",
        "<tool_call> begins a call, </tool_call> ends it.",
        "<tool_call> begins a call.\n</tool_call> ends it.",
        "The <tool_call></tool_call> pair holds it.",
        '<tool_call>{"name": <name>, "arguments": <arguments>}</tool_call>\nis the pattern.',
        'Write <tool_call>{"name": ..., "arguments": {...}}</tool_call>',
        "The <tool_call> tag (see below) begins one, as <function_calls> does with Claude.",
        "<function_calls> is what Claude uses.",
        "The [TOOL_CALLS] token is Mistral's, <|tool_call_begin|> is Kimi's, <|channel|> that of gpt-oss.",
        "&lt;tool_call&gt; ... &lt;/tool_call&gt;",
        "Call it with to=functions.read in the header.",
        "Its answer ends with </tool_call> then.",
    ],
)
def test_prose_about_tags_is_text(answer: str) -> None:
    for pieces in ([answer], list(answer)):
        assert merged(parse(*pieces)) == [("Text", answer)]


@pytest.mark.parametrize(
    "answer",
    [
        '<div>\n  <read path="a.py" />\n</div>\n<tool>x</tool>',
        "<html>\n<head>\n<title>Reasons</title>\n</head>\n<body><code>a < b && c > d</code></body>\n</html>",
        "export default () => (\n  <Read path={path}>\n    {now()}\n  </Read>\n)",
        '<parameter name="path">a.py</parameter>\n<function>f</function>\n<invoke />',
        '{"name": "Ann", "arguments": {"for": "it"}}',
        '{"answer": {"name": "read", "arguments": {}}}',
        '[{"id": 1, "name": "read"}]\n{"type": "object"}',
        "[1, 2]\n[read](https://example.com)\n[reads(x)]\n[ ] read(path='a.py')",
        "def read(path):\n    return [now() for _ in path]\nread('a.py')",
        "| a | b |\n|---|---|\n| `<tool_call>` | <br> |",
        "=== Results ===\n=======\na === USER === b",
    ],
)
def test_code_and_data_are_text(answer: str) -> None:
    for pieces in ([answer], list(answer)):
        assert merged(parse(*pieces, turns=True)) == [("Text", answer)]


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (CALL, ""),
        (f" {CALL}", ""),
        (f"  {CALL}\n", ""),
        (f"    {CALL}\n", ""),  # nothing else stands there, so that it quotes nothing
        (f"I look.\n{CALL}", "I look."),
        (f"I look.\n  {CALL}", "I look."),
        (f"1. I look.\n   {CALL}", "1. I look."),
        (f"I look.\r\n{CALL}\r\n", "I look."),
        (f"I look.{CALL}", "I look."),
        (f"I look: {CALL}\n", "I look:"),
        (f"I look.\n{CALL}\nThen I see.", "I look.\n\nThen I see."),
        (f"```py\nx\n```\n{CALL}", "```py\nx\n```"),
        (f"Here:```py\nx\n```\n{CALL}", "Here:```py\nx\n```"),
        (f"Use ```x``` here.\n{CALL}", "Use ```x``` here."),
        (f"> It said so.\n\n{CALL}", "> It said so."),
        (f"    code\n{CALL}", "    code"),
        (f"The <tool_call> tag begins it.\n{CALL}", "The <tool_call> tag begins it."),
        (f"```\n{CALL}\n```", ""),
        (f"I look.\n```xml\n{CALL}\n```\n", "I look."),
        (f"I look.\n```json\n{READ}\n```", "I look."),
        (f"I look.\n~~~\n{CALL}\n~~~", "I look."),
        (f"I look.\n\n{READ}", "I look."),
        (f"<pre>x</pre>\n{CALL}", "<pre>x</pre>"),
        (f"<tool_calls>\n    {CALL}\n</tool_calls>", ""),
    ],
)
def test_a_call_that_stands_alone_is_made(answer: str, text: str) -> None:
    for pieces in ([answer], list(answer)):
        found = merged(parse(*pieces))
        assert text_of(found) == text
        assert [part for part in found if part[0] not in ("Text", "Reasoning")] == [READS]


@pytest.mark.parametrize("between", ["", " ", "\n", "\n\n", "\n  "])
def test_calls_behind_each_other_are_made(between: str) -> None:
    two = [READS, call(1, "read", path="a.py")]
    assert seen(f"{CALL}{between}{CALL}") == two
    assert seen(f"I look.{CALL}{between}{CALL}") == [("Text", "I look."), *two]
    assert seen(f"```\n{CALL}{between}{CALL}\n```\n{CALL}") == [*two, call(2, "read", path="a.py")]


def test_a_quoted_call_does_not_hide_one_that_is_meant() -> None:
    quoted = f"It was {CALL} before, in a line."
    assert seen(f"{quoted}\n{CALL}\nDone.") == [("Text", quoted), READS, ("Text", "\n\nDone.")]
    fence = f"```\n{CALL}\n```\nNow again:"
    assert seen(f"{fence}\n{CALL}") == [("Text", fence), READS]


def test_a_call_in_a_line_that_is_broken_is_an_attempt_at_the_end() -> None:
    broken = '<tool_call>{"name": "raed", "arguments": {}}</tool_call>'
    assert [part[0] for part in seen(f"I look.{broken}")] == ["Text", "InvalidToolCall"]
    assert [part[0] for part in seen(f"```\n{broken}\n```")] == ["InvalidToolCall"]
    assert seen(f"I look. {broken} was wrong.") == [("Text", f"I look. {broken} was wrong.")]


def test_text_is_not_held_for_a_tag_that_is_only_named() -> None:
    parser = ToolCallParser(tool_config())
    assert parser.feed("The <tool_call> tag begins a call, ") == [
        Text("The"),
        Text(" <tool_call>"),
        Text(" tag begins a call,"),
    ]
    assert parser.feed("and so on.") == [Text(" and so on.")]
    assert parser.feed(' {"name": "Ann"}\n{"name": "Bo", ') != []
