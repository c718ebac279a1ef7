from typing import Any

import pytest

from custom_handlers.emulation.brevity import is_short

TOOL = {"type": "function", "function": {"name": "now"}}


def said(content: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content}]


@pytest.mark.parametrize("messages", [said("Hi"), said([{"type": "text", "text": "Hi"}]), said(None), [], None, 5])
def test_most_requests_are_short(messages: Any) -> None:
    assert is_short(messages, {"stop": ["x"], "tools": None})


@pytest.mark.parametrize(
    "messages",
    [
        said("x" * 16_001),
        said([{"type": "text", "text": "x" * 9_000}] * 2),
        [{"role": "assistant", "tool_calls": [{"function": {"name": "now", "arguments": "x" * 20_000}}]}],
        said("x") * 2_000,
        said([[[[]]] * 100_000]),
    ],
)
def test_what_takes_long_is_not(messages: Any) -> None:
    assert not is_short(messages, {})


@pytest.mark.parametrize("name", ["tools", "functions", "response_format"])
def test_schemas_are_not(name: str) -> None:
    assert not is_short(said("Hi"), {name: [TOOL]})
