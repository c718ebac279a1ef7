"""Calls are found in whatever models write, in whatever pieces it comes, and nothing but right calls leaves."""

import json
from typing import Any

import pytest

from custom_handlers.emulation.parser.segments import InvalidToolCall, Text, ToolCall
from custom_handlers.emulation.parser.tool_call_parser import ToolCallParser
from custom_handlers.emulation.tools import ToolConfig
from tests.unit.custom_handlers.emulation.parsing import CALL, READ, READS, call, merged, parse, seen, tool_config


class TestCalls:
    def test_text_before_a_call_flows_at_once(self) -> None:
        parser = ToolCallParser(tool_config())
        assert parser.feed("I look into ") == [Text("I look into")]
        assert parser.feed("a < b") == [Text(" a < b")]
        assert parser.feed(" <tool") == []
        assert parser.feed("box>") == [Text(" <toolbox>")]
        assert parser.feed("\n<tool_call>" + READ) == []
        [found] = parser.feed("</tool_call>")
        assert isinstance(found, ToolCall)
        assert parser.finish() == []

    def test_several_calls_have_distinct_indexes_and_ids(self) -> None:
        calls = [part for part in parse(f"{CALL}\n{CALL}{CALL}") if isinstance(part, ToolCall)]
        assert [found.index for found in calls] == [0, 1, 2]
        assert len({found.id for found in calls}) == 3
        assert all(found.id.startswith("call_") for found in calls)

    @pytest.mark.parametrize(
        "answer",
        [
            CALL,
            f"\n\n {CALL} \n",
            f"<tool_call>\n{READ}\n</tool_call>",
            f"<tool_call>{READ}",  # the end mark is missing
            f"<tool_call>{READ}\n",
            f"<tool_call>{READ}</tool_call",
            f'<tool_call id="x">{READ}</tool_call>',
            f"<tool_calls>{CALL}</tool_calls>",
            f"<tool_calls>[{READ}]</tool_calls>",
            f"```xml\n{CALL}\n```",
            f"```\n{CALL}```",
            f"<tool_call>```json\n{READ}\n```</tool_call>",
            f"```json\n{READ}\n```",
            READ,
            f"[{READ}]",
            '<tool_call>{"name": "read", "arguments": {"path": "a.py",},}</tool_call>',
            '<tool_call>{"name": "read", "arguments": {"path": "a.py"}</tool_call>',
            '<tool_call>{"name": "read", "arguments": {"path": "a.py"}}}</tool_call>',
            '<tool_call>{"name": "read", "arguments": "{\\"path\\": \\"a.py\\"}"}</tool_call>',
            '<tool_call>{"name": "read", "parameters": {"path": "a.py"}}</tool_call>',
            '<tool_call>{"type": "function", "function": {"name": "read", "arguments": {"path": "a.py"}}}</tool_call>',
            '<tool_call>{"name": "functions.read", "arguments": {"path": "a.py"}}</tool_call>',
            "<tool_call>{'name': 'read', 'arguments': {'path': 'a.py'}}</tool_call>",
            "<tool_call>[{'name': 'read', 'arguments': {'path': \"a.py\",},}]</tool_call>",
            "<tool_call>{&quot;name&quot;: &quot;read&quot;, &quot;arguments&quot;: {&quot;path&quot;: "
            "&quot;a.py&quot;}}</tool_call>",
            '<tool_call>read(path="a.py")</tool_call>',
            "<tool_call>[read(path='a.py')]</tool_call>",
            '<tool_call>read({"path": "a.py"})</tool_call>',
            "<tool_call>```python\nread(path='a.py')\n```</tool_call>",
            f"{CALL}\n<tool_response>invented</tool_response>\nDone!",
            f"{CALL}\n\n=== TOOL ===\n<tool_response>invented</tool_response>\n\n=== ASSISTANT ===\nDone!",
            f"```\n{CALL}\n```\n=== USER (bob) ===\nThanks",
        ],
    )
    def test_every_way_to_write_one_call(self, answer: str) -> None:
        assert seen(answer) == [READS]

    @pytest.mark.parametrize(
        ("answer", "calls"),
        [
            (f"{CALL}{CALL}", [READS, call(1, "read", path="a.py")]),
            (f"<tool_call>{READ}<tool_call>{READ}", [READS, call(1, "read", path="a.py")]),
            (f"<tool_call>[{READ}, {READ}]</tool_call>", [READS, call(1, "read", path="a.py")]),
            (
                f"<tool_call>[{READ}, {READ}]</tool_call>{CALL}",
                [call(index, "read", path="a.py") for index in range(3)],
            ),
            (f"<tool_call>{READ}\n{READ}</tool_call>", [READS, call(1, "read", path="a.py")]),
            (f"```\n{CALL}\n{CALL}\n```", [READS, call(1, "read", path="a.py")]),
            (
                "<tool_call>[now(), read(path='x', lines=2)]</tool_call>",
                [call(0, "now"), call(1, "read", path="x", lines=2)],
            ),
            ('<tool_call>{"name": "now"}</tool_call>', [call(0, "now")]),
            ('<tool_call>{"name": "now", "arguments": ""}</tool_call>', [call(0, "now")]),
        ],
    )
    def test_lists_and_calls_without_arguments(self, answer: str, calls: list[Any]) -> None:
        assert seen(answer) == calls

    @pytest.mark.parametrize(
        "content",
        [
            "</tool_call>",
            "<tool_call>",
            "<tool_call>{}</tool_call>",
            "\\</tool_call>",
            "it's </tool_call> 'quoted'",
            '\\" </tool_call> "',
            "a\nb",
        ],
    )
    def test_strings_hold_anything(self, content: str) -> None:
        body = json.dumps({"name": "write", "arguments": {"path": "p", "content": content}})
        expected = call(0, "write", path="p", content=content)
        for answer in (f"<tool_call>{body}</tool_call>", f"<tool_call>{body}"):
            assert seen(answer) == merged(parse(*answer)) == [expected]
        assert seen(f"<tool_call>{body}</tool_call> done")[0] == expected

    def test_raw_line_breaks_in_strings(self) -> None:
        answer = '<tool_call>{"name": "write", "arguments": {"path": "p", "content": "a\nb\tc"}}</tool_call>'
        assert seen(answer) == [call(0, "write", path="p", content="a\nb\tc")]

    def test_arguments_are_strict_json_that_can_be_sent(self) -> None:
        [found] = parse('<tool_call>{"name": "read", "arguments": {"path": "\\ud800é"}}</tool_call>')
        assert isinstance(found, ToolCall)
        assert json.loads(found.arguments) == {"path": "�é"}

    @pytest.mark.parametrize(
        ("answer", "text"),
        [
            (f"Now A.\n\n{CALL}\n\nThen B.\n", "Now A.\n\n\n\nThen B."),
            (f"```py\nx\n```\n{CALL}", "```py\nx\n```"),
            (f"A\n```xml\n{CALL}\n```\n", "A"),
            (f"{CALL}\n```py\nx\n```\n", "\n```py\nx\n```"),
            (f"A\n{CALL}</tool_call>B", "A\nB"),
            (f"{CALL}\n=== TOOLS === in\n==", "\n=== TOOLS === in\n=="),
            (f"The <tool_call> tag:\n{CALL}", "The <tool_call> tag:"),
        ],
    )
    def test_prose_around_calls_is_kept_and_their_fences_are_not(self, answer: str, text: str) -> None:
        found = seen(answer)
        assert "".join(part[1] for part in found if part[0] == "Text") == text
        assert READS in found

    def test_only_one_call_where_only_one_is_allowed(self) -> None:
        single = tool_config(parallel_tool_calls=False)
        assert seen(f"A\n{CALL} B\n{CALL}", given=single) == [("Text", "A"), READS]
        assert seen(f"A {CALL}{CALL}", given=single) == [("Text", "A"), READS]
        assert seen(f"<tool_call>[{READ}, {READ}]</tool_call>", given=single) == [READS]


class TestBrokenCalls:
    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            ('{"name": "raed", "arguments": {}}', "there is no tool `raed`; the tools are read, write, now"),
            ('{"name": "read", "arguments": {}}', "do not fit the schema of `read`: $: 'path' is a required property"),
            ('{"name": "read", "arguments": {"path": 1}}', "$.path: 1 is not of type 'string'"),
            ('{"name": "read", "arguments": [1, 2, 3]}', "the arguments of `read` are not an object"),
            ('{"name": "read", "arguments": 5}', '"arguments" is not an object'),
            ('{"name": "read", "path": "a"}', 'must hold "name"'),
            ('{"path": "a"}', 'not an object with "name"'),
            ('{"name": "write", "arguments": {"path": "p", "content": "say "hi""}}', "not valid JSON"),
            ('{"name": "write", "arguments": {"path": "p", "content": "\\d"}}', "not valid JSON"),
            ('{"name": "read", "arguments": {"path": NaN}}', "not valid JSON"),
            ('{"name": "read", "arguments": {"path": True}}', "True is not of type 'string'"),
            ('{"name": "read", "arguments": {"path": "a" "b"}}', "not valid JSON"),
            ("read(path=open('x'))", "not plain values"),
            ("read(**{'path': 'x'})", "no names"),
            ("read('x')", "no names"),
        ],
    )
    def test_what_is_wrong_is_reported_and_nothing_after_it(self, body: str, reason: str) -> None:
        raw = f"<tool_call>{body}</tool_call>"
        *before, broken = parse(f"Text.\n{raw} More\n{CALL}")
        assert before == [Text("Text.")]
        assert isinstance(broken, InvalidToolCall)
        assert reason in broken.reason
        assert broken.raw == raw

    @pytest.mark.parametrize("body", ["not valid json", "", "read path=a.py", "raed(path='a.py')", "read", "now then"])
    def test_a_block_that_is_no_call_is_an_attempt_only_at_the_end(self, body: str) -> None:
        raw = f"<tool_call>{body}</tool_call>"
        assert [part[0] for part in seen(f"Text.\n{raw}\n")] == ["Text", "InvalidToolCall"]
        if body != "read":  # that is a call without arguments
            assert seen(f"Text.\n{raw} is it.") == [("Text", f"Text.\n{raw} is it.")]

    def test_a_call_that_only_misfits_its_schema_is_there_as_it_was_written(self) -> None:
        body = '{"name": "write", "arguments": {"path": "a.py"}}'
        first, broken = parse(f"{CALL}\n<tool_call>{body}</tool_call>\n{CALL}")
        assert isinstance(first, ToolCall)
        assert isinstance(broken, InvalidToolCall)
        assert broken.call
        assert (broken.call.index, broken.call.name, broken.call.arguments) == (1, "write", '{"path": "a.py"}')
        assert broken.call.id not in ("", first.id)
        [invalid] = parse("<tool_call>{]</tool_call>")
        assert isinstance(invalid, InvalidToolCall)
        assert invalid.call is None

    def test_calls_before_a_broken_one_are_made(self) -> None:
        assert [part[0] for part in seen(f"{CALL}<tool_call>[{READ}, 3]</tool_call>")] == [
            "ToolCall",
            "InvalidToolCall",
        ]

    @pytest.mark.parametrize(
        "answer",
        [
            "<tool_call>",
            '<tool_call>{"name": "read", "arguments": {"path": "a',
            '<tool_call>{"name": "now"',
            "<tool_cal",
        ],
    )
    def test_a_call_that_is_cut_off_is_broken_and_not_completed(self, answer: str) -> None:
        assert [part[0] for part in seen(f"A {answer}")] == ["Text", "InvalidToolCall"]

    def test_no_call_where_none_is_allowed(self) -> None:
        [broken] = parse(CALL, given=tool_config(tool_choice="none"))
        assert isinstance(broken, InvalidToolCall)

    def test_no_other_call_than_the_named_one(self) -> None:
        named = tool_config(tool_choice={"type": "function", "function": {"name": "now"}})
        assert [part[0] for part in seen(CALL, given=named)] == ["InvalidToolCall"]


class TestText:
    @pytest.mark.parametrize(
        "answer",
        [
            "",
            " \n",
            "Hi \n\n",
            "a <b> &amp; `c` ```d``` < tool_call > <tool",
            "Write `<tool_call>` before and `</tool_call>` behind.",
            "The <tool_call> tag begins a call.",
            "<tool_response> is what results come in.",
            "```json\n" + '{"name": "nobody", "arguments": {}}' + "\n```\nis how a call looks.",
            '{"name": "Ann", "age": 3}',
            "[1, 2",
            '{"id": 1} {',
            "&lt;tool_call&gt;",
            "&lt;tool_call&gt;...&lt;/tool_call&gt;",
            f"{READ}\nis what I would call.",
        ],
    )
    def test_text_that_is_no_call_comes_back_as_it_is(self, answer: str) -> None:
        for pieces in ([answer], list(answer)):
            assert "".join(text.text for text in parse(*pieces) if isinstance(text, Text)) == answer

    def test_without_tools_all_is_text(self) -> None:
        parser = ToolCallParser(None)
        assert merged([*parser.feed(f" {CALL} ``"), *parser.feed("`\n"), *parser.finish()]) == [
            ("Text", f" {CALL} ```\n")
        ]


class TestThoughts:
    @pytest.mark.parametrize("given", [None, tool_config()])
    def test_a_thought_at_the_beginning_is_kept_apart(self, given: ToolConfig | None) -> None:
        parser = ToolCallParser(given)
        parts = [*parser.feed("\n<think>\nI think <b"), *parser.feed(".\n</think>\n\nHi"), *parser.finish()]
        assert merged(parts) == [("Reasoning", "I think <b."), ("Text", "Hi")]

    def test_a_call_in_a_thought_is_only_a_thought(self) -> None:
        assert seen(f"<think>{CALL}</think>{CALL}") == [("Reasoning", CALL), READS]

    def test_a_tag_in_the_middle_is_text(self) -> None:
        assert seen("A <think>b</think>") == [("Text", "A <think>b</think>")]
