"""What is counted is what the model would be shown, as text."""

from typing import Any

import pytest

from custom_handlers.guard import counting
from custom_handlers.guard.rejection import RejectedError

IMAGE = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}


def counted(*parts: Any, role: str = "user") -> str:
    body = {"messages": [{"role": role, "content": list(parts)}]}
    counting.prepare(body)
    content = body["messages"][0]["content"]
    assert isinstance(content, str)
    return content


def test_all_parts_are_text() -> None:
    result = {"type": "tool_result", "content": [{"type": "text", "text": "found"}, IMAGE]}
    text = counted("Hi", {"type": "text", "text": "there"}, result, {"type": "search_result", "title": "T"})
    assert all(word in text for word in ("Hi\nthere", "found", "T"))
    assert "example.com" not in text
    call = {"type": "tool_use", "id": "a", "name": "read_file", "input": {"path": "a.py"}}
    assert all(word in counted(call, role="assistant") for word in ("read_file", "a.py"))


def test_thoughts_are_not_counted() -> None:
    thoughts = [{"type": "thinking", "thinking": "Hm.", "signature": "s"}, {"type": "redacted_thinking", "data": "d"}]
    assert counted(*thoughts, {"type": "text", "text": "Hi"}, role="assistant") == "Hi"


def test_what_messages_refuses_is_refused() -> None:
    with pytest.raises(RejectedError, match=r"`messages\[0\]\.content\[0\]`"):
        counted({"type": "odd"})
