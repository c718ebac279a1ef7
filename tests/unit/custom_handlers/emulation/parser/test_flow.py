"""Text passes piece by piece, without a delay and without more being kept than helps."""

import re

import pytest

from custom_handlers.emulation.parser.flow import Flow
from custom_handlers.emulation.parser.segments import Text
from custom_handlers.emulation.parser.tool_call_parser import ToolCallParser
from tests.unit.custom_handlers.emulation.parsing import CALL, READS, merged, text_of, tool_config


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@pytest.mark.parametrize("piece", [" word", " a < b", " `x` y", "\n- item", "\nand", " [x](y)", "\nclass A:", " <b>"])
def test_a_piece_passes_at_once_the_second_time_too(piece: str) -> None:
    parser = ToolCallParser(tool_config())
    parser.feed("Text.")
    assert [parser.feed(piece), parser.feed(piece)] == [[Text(piece)], [Text(piece)]]


def test_code_passes_at_once() -> None:
    parser = ToolCallParser(tool_config())
    parser.feed("Look:\n```python\nx")
    for piece in (" = [1]", "\n<tool_call>", "\n    y", " = `z`"):
        assert text_of(merged(parser.feed(piece))) == piece
    assert merged([*parser.feed("\n```\n"), *parser.feed(CALL), *parser.finish()]) == [("Text", "\n```"), READS]


def test_what_was_the_same_before_is_not_the_same_behind_another_end() -> None:
    parser = ToolCallParser(tool_config())
    found = [parser.feed(piece) for piece in ("Text", " <", "b>", " <", CALL[1:])]
    found.append(parser.finish())
    assert merged(part for parts in found for part in parts) == [("Text", "Text <b>"), READS]


def test_only_so_much_is_remembered() -> None:
    known = Flow(re.compile("<"), re.compile("<$"))
    for number in range(10_000):
        known.look(f"{number}")
    known.look("x" * 1000)
    assert len(known.known) == 1024
    assert max(map(len, known.known)) <= 24


def test_a_string_goes_on_behind_a_cut_escape() -> None:
    parser = ToolCallParser(tool_config())
    call = '<tool_call>{"name": "read", "arguments": {"path": "a\\\\\\"b\\\\"}}</tool_call>'
    for size in (1, 2, 3, 4):
        parser = ToolCallParser(tool_config())
        found = [part for piece in pieces(call, size) for part in parser.feed(piece)] + parser.finish()
        assert [part[3] for part in merged(found)] == ['{"path": "a\\\\\\"b\\\\"}']
