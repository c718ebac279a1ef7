"""What is changed in a body of the completions surface before LiteLLM sees it."""

from __future__ import annotations

from typing import Any


def prepare(body: dict[str, Any]) -> None:
    """Changes `body` in place. Raises Refusal for what cannot be answered."""
