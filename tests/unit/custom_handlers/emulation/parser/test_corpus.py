"""Recorded answers of real models: canitoolcall's corpus. It replays them by tokens, here every character may be a cut.

Its first family writes the format that the gateway asks for. The others are what models fall back to.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from canitoolcall.checks import case_status, run_checks
from canitoolcall.chunking import DEFAULT_STRATEGIES, split_text
from canitoolcall.fixtures import Fixture, load_fixtures
from canitoolcall.pytest_plugin import family_for
from canitoolcall.results import Observation, ParsedToolCall, ParseResult, Status

from custom_handlers.emulation.parser.segments import Reasoning, Segment, Text, ToolCall
from custom_handlers.emulation.tools import read_tools
from tests.sampling import every
from tests.unit.custom_handlers.emulation.parsing import parse

OWN = load_fixtures(None, families=["qwen3-hermes"])
OTHERS = load_fixtures(None, families=["deepseek", "gemma4", "glm", "gpt-oss", "kimi", "llama", "mistral", "qwen3-xml"])
# Kimi K3's format is not read.
READ = [fixture for fixture in OTHERS if not fixture.id.startswith("kimi/k3-")]
# What the gateway does otherwise, on purpose.
OTHERWISE = {
    "a call in a line of prose that goes on is quoted": {
        *("gemma4/sglang-text-around-call", "kimi/k2i-vllm-content-after-tool-section"),
        *(
            "kimi/k2i-vllm-noise-between-markers",
            "kimi/k2i-vllm-empty-tool-section",
            "qwen3-xml/bug-coder-text-after-call",
        ),
    },
    "a parameter without its end is corrected: where it ends is a guess": {
        *("glm/glm47-missing-last-close-arg-value", "qwen3-xml/vllm-coder-missing-close-parameter"),
        "qwen3-xml/bug-missing-close-parameter-before-function",
    },
    "a bracket that is missing before an end mark is added": {"deepseek/vllm-v3-malformed-missing-brace"},
    "a call without the inner one of two marks is read": {"deepseek/vllm-v3-malformed-missing-call-tokens"},
    "a call in a thought is corrected, not made": {"qwen3-xml/llamacpp-q35-call-inside-think"},
    "`null` for a string is that string": {
        *("qwen3-xml/q38-numeric-and-literal-arguments", "qwen3-xml/coder-next-json-literals"),
    },
}
BEGUN_BY_THE_TEMPLATE = ("glm", "kimi")


def parts(fixture: Fixture, pieces: Sequence[str]) -> list[Segment]:
    prompt = fixture.generation_prompt
    # Some fixtures do not say how the prompt ended.
    unsaid = prompt is None and (fixture.thinking or "</think>" in fixture.raw_output)
    unsaid = unsaid and fixture.family in BEGUN_BY_THE_TEMPLATE
    inside = (prompt or "").rstrip("\n").endswith("<think>") or (unsaid and "<think>" not in fixture.raw_output)
    return parse(
        *pieces, given=read_tools({"tools": [dict(offered) for offered in fixture.tools]}), thinking_open=bool(inside)
    )


def observed(fixture: Fixture, pieces: Sequence[str]) -> ParseResult:
    found = parts(fixture, pieces)
    return ParseResult(
        content="".join(part.text for part in found if isinstance(part, Text)) or None,
        reasoning_content="".join(part.text for part in found if isinstance(part, Reasoning)) or None,
        tool_calls=tuple(ParsedToolCall(part.name, part.arguments) for part in found if isinstance(part, ToolCall)),
    )


def status(fixture: Fixture) -> Status:
    streams = {
        strategy.id: observed(fixture, split_text(fixture.raw_output, strategy))
        for strategy in DEFAULT_STRATEGIES
        if strategy.id != "special"
    }
    whole = observed(fixture, [fixture.raw_output])
    return case_status(run_checks(fixture, family_for(fixture), Observation(whole, streams)))


def some_of(fixtures: Sequence[Fixture]) -> list[Any]:
    rare = set().union(*OTHERWISE.values())
    usual = [fixture for fixture in fixtures if fixture.id not in rare]
    return [*(fixture for fixture in fixtures if fixture.id in rare), *every(4, usual)]


def test_all_of_it_is_here() -> None:
    assert (len(OWN), len(OTHERS), len(READ)) == (50, 419, 396)
    assert set().union(*OTHERWISE.values()) <= {fixture.id for fixture in READ}


@pytest.mark.parametrize("fixture", OWN, ids=lambda fixture: fixture.id)
def test_the_own_format_passes_strictly(fixture: Fixture) -> None:
    assert status(fixture) is Status.PASS


# `make test` takes one in four of what others write, and all that is read in another way on purpose.
@pytest.mark.parametrize("fixture", some_of(READ), ids=lambda fixture: fixture.id)
def test_other_formats_are_read_as_well(fixture: Fixture) -> None:
    """Space between text and a call is not told: that alone may differ."""
    same = status(fixture) in (Status.PASS, Status.SOFT_PASS)
    assert same != any(fixture.id in ids for ids in OTHERWISE.values())
