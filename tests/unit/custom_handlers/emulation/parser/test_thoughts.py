"""Thoughts are thoughts wherever they stand, and a call in one is only drafted."""

import pytest

from custom_handlers.emulation.parser.segments import Reasoning, Text
from custom_handlers.emulation.parser.tool_call_parser import ToolCallParser
from custom_handlers.emulation.tools import ToolConfig
from tests.unit.custom_handlers.emulation.parsing import CALL, READS, merged, parse, seen, tool_config

TAGS = ["think", "thinking", "thought", "reasoning"]


@pytest.mark.parametrize("given", [None, tool_config()])
def test_a_thought_at_the_beginning_is_kept_apart(given: ToolConfig | None) -> None:
    parser = ToolCallParser(given)
    parts = [*parser.feed("\n<think>\nI think <b"), *parser.feed(".\n</think>\n\nHi"), *parser.finish()]
    assert merged(parts) == [("Reasoning", "I think <b."), ("Text", "Hi")]


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        ("<T>CALL</T>", [("Reasoning", CALL)]),
        ("<T>\nHm.\nCALL\n</T>\nHi", [("Reasoning", f"Hm.\n{CALL}"), ("Text", "Hi")]),
        ("<T>CALL</T>CALL", [("Reasoning", CALL), READS]),
        ("<T>a</T>\n<T>b</T>\nHi", [("Reasoning", "ab"), ("Text", "Hi")]),
        ("Hi\n\n<T>CALL</T>\n\nBye", [("Text", "Hi"), ("Reasoning", CALL), ("Text", "\n\nBye")]),
        ("Hi\n  <T>CALL</T>\nCALL", [("Text", "Hi"), ("Reasoning", CALL), READS]),
        ("CALL\n<T>CALL</T>", [READS, ("Reasoning", CALL)]),
        ("I look. <T>\nCALL\n</T>\nHi", [("Text", "I look."), ("Reasoning", CALL), ("Text", " Hi")]),
        ("<T>The `</T>` tag</T>Hi", [("Reasoning", "The `</T>` tag"), ("Text", "Hi")]),
    ],
)
def test_thoughts_wherever_they_stand(tag: str, answer: str, parts: list[tuple[str, ...]]) -> None:
    def filled(text: str) -> str:
        return text.replace("<T>", f"<{tag}>").replace("</T>", f"</{tag}>").replace("CALL", CALL)

    answer = filled(answer)
    expected = [(part[0], *(filled(each) for each in part[1:])) for part in parts]
    assert seen(answer) == merged(parse(*answer)) == expected


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize(
    "answer",
    [
        "A <T>b</T>",
        "The <T> tag begins a thought, </T> ends it.",
        "`<T>`\n`<T>x</T>`",
        "```\n<T>\nx\n</T>\n```\n",
        "It wrote:\n\n    <T>x</T>\n",
        "> <T>\n> x\n> </T>",
        "\\<T>x</T>",
    ],
)
def test_a_tag_that_is_talked_about_is_text(tag: str, answer: str) -> None:
    answer = answer.replace("<T>", f"<{tag}>").replace("</T>", f"</{tag}>")
    assert seen(answer) == merged(parse(*answer)) == [("Text", answer)]


def test_a_call_behind_a_tag_in_a_line_is_made_only_if_the_answer_ends_with_it() -> None:
    drafted = f"I <think> I could\n{CALL}\n</think> not do that."
    assert seen(drafted) == [("Text", drafted)]
    assert seen(f"The <think> tag.\n{CALL}") == [("Text", "The <think> tag."), READS]


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        ("I think so.\n</think>\n\nHi", [("Text", "I think so.\nHi")]),
        ("I think so.</think>Hi", [("Text", "I think so.Hi")]),
        (f"I think so.</think>{CALL}", [("Text", "I think so."), READS]),
        ("</think>Hi", [("Text", "Hi")]),
        ("The </think> tag", [("Text", "The </think> tag")]),
        ('The "</think>" tag', [("Text", 'The "</think>" tag')]),
    ],
)
def test_an_end_without_a_beginning_is_not_emitted(answer: str, parts: list[tuple[str, ...]]) -> None:
    assert seen(answer) == merged(parse(*answer)) == parts


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        (f"Hm.\n{CALL}\n</think>\n\nHi", [("Reasoning", f"Hm.\n{CALL}"), ("Text", "Hi")]),
        (f"\n\nHm.</think>{CALL}", [("Reasoning", "Hm."), READS]),
        ("</think>\n\nHi", [("Text", "Hi")]),
        # It may begin it once more.
        ("\n<think>\nHm.\n</think>\n\nHi", [("Reasoning", "Hm."), ("Text", "Hi")]),
        ("<thought\t>Hm.</think></thought>Hi", [("Reasoning", "Hm.</think>"), ("Text", "Hi")]),
        ("<think", [("Reasoning", "<think")]),
        ("The <think> tag</think>Hi", [("Reasoning", "The <think> tag"), ("Text", "Hi")]),
        ("Hm.</think>a\n<think>b</think>c", [("Reasoning", "Hm."), ("Text", "a"), ("Reasoning", "b"), ("Text", "\nc")]),
    ],
)
def test_an_answer_that_begins_inside_a_thought(answer: str, parts: list[tuple[str, ...]]) -> None:
    assert seen(answer, thinking_open=True) == merged(parse(*answer, thinking_open=True)) == parts


@pytest.mark.parametrize(("answer", "thinking_open"), [("<think>\nI think so.\n", False), ("I think so.", True)])
def test_a_thought_that_never_ends_is_there_in_the_end(answer: str, thinking_open: bool) -> None:
    parser = ToolCallParser(tool_config(), thinking_open=thinking_open)
    assert merged([*parser.feed(answer), *parser.finish()]) == [("Reasoning", "I think so.")]
    assert parser.unfinished_thought == "I think so."


def test_a_thought_that_ends_is_not_unfinished() -> None:
    parser = ToolCallParser(tool_config())
    assert [*parser.feed("<think>a</think>b"), *parser.finish()] == [Reasoning("a"), Text("b")]
    assert parser.unfinished_thought == ""
