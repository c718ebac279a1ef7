"""What is changed in a body of the surface that counts tokens: it is one of messages, all of it as text.

LiteLLM's count fails on blocks that it answers (a tool result without an id, a search result), and counts thoughts,
which the model is not shown.
"""

from __future__ import annotations

from typing import Any

from custom_handlers.guard import messages
from custom_handlers.guard.content import as_text
from custom_handlers.guard.spoken import THOUGHT_TYPES


def prepare(body: dict[str, Any]) -> None:
    """Changes `body` in place. Raises RejectedError for what a request of messages could not hold."""
    messages.prepare(body)
    for message in body["messages"]:
        if isinstance(parts := message["content"], list):
            message["content"] = "\n".join(_text(part) for part in parts if part.get("type") not in THOUGHT_TYPES)


def _text(part: dict[str, Any]) -> str:
    return as_text(part.get("content") if part.get("type") == "tool_result" else part)
