"""Models that were given a transcript go on with it: what they invent of the next turn is cut."""

import pytest

from custom_handlers.emulation.parser.tool_call_parser import ToolCallParser
from custom_handlers.emulation.tools import ToolConfig
from tests.unit.custom_handlers.emulation.parsing import CALL, READS, merged, parse, seen, tool_config

HEADERS = [
    "=== USER ===",
    "=== USER k7q2mx ===",
    "=== USER (bob) k7q2mx ===",
    "=== TOOL ===",
    "=== SYSTEM ===",
    "=== FORMAT ===",
]
HEADERS += ["=== TOOLS ===", "=== ASSISTANT k7q2mx ===", "  === USER === "]


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("given", [None, tool_config()])
def test_an_invented_turn_is_cut(header: str, given: ToolConfig | None) -> None:
    for rest in ("", "\n", "\nThanks!\n\n=== ASSISTANT ===\nBye"):
        answer = f"Feito.\n\n{header}{rest}"
        for pieces in ([answer], list(answer)):
            parser = ToolCallParser(given, turns=True)
            assert merged([part for piece in pieces for part in parser.feed(piece)] + parser.finish()) == [
                ("Text", "Feito.")
            ]
            assert parser.ended


@pytest.mark.parametrize("header", HEADERS)
def test_behind_a_call_always(header: str) -> None:
    assert seen(f"{CALL}\n\n{header}\nThanks!") == [READS]
    assert seen(f"I look.{CALL}\n{header}\nThanks!") == [("Text", "I look."), READS]


@pytest.mark.parametrize(
    "answer",
    [
        "Feito.\n=== Results ===\nx",
        "Feito. === USER === x",
        "=== USER === is the header.",
        "```\n=== USER ===\nx\n```\n",
        "    === USER ===\n",
        "> === USER ===\n",
        "\\=== USER ===\n",
        "== USER ==\n==== USER ====\n=== User ===\n=== USERS ===\n=== USER kkkk ===\n",
    ],
)
def test_what_is_no_header_is_text(answer: str) -> None:
    assert seen(answer, turns=True) == merged(parse(*answer, turns=True)) == [("Text", answer)]


def test_without_a_transcript_a_header_is_text() -> None:
    assert seen("Feito.\n=== USER ===\nx") == [("Text", "Feito.\n=== USER ===\nx")]


def test_its_own_header_is_not_emitted() -> None:
    assert seen("=== ASSISTANT k7q2mx ===\nFeito.", turns=True) == [("Text", "\nFeito.")]
