"""What is changed in a body of the completions surface before LiteLLM sees it."""

from __future__ import annotations

from typing import Any

from custom_handlers.guard.shapes import FLAG, OBJECT, TEXT, TEXT_OR_LIST, check, check_ranges, refused

_FIELDS = {"stream": FLAG, "echo": FLAG, "suffix": TEXT, "stream_options": OBJECT, "stop": TEXT_OR_LIST}
_RANGES = {
    name: name for name in ("temperature", "top_p", "presence_penalty", "frequency_penalty", "max_tokens", "n", "stop")
}


def prepare(body: dict[str, Any]) -> None:
    """Changes `body` in place. Raises RejectedError for what cannot be answered."""
    check(body, _FIELDS)
    check_ranges(body, _RANGES)
    prompt = body.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    if not isinstance(prompt, str):
        raise refused("prompt", "must be one text: several of them, or tokens, are not supported.")
    if not prompt.strip():
        raise refused("prompt", "must hold some text.")
    body["prompt"] = prompt
    # Left out in silence, either would make another answer than the one that was asked for.
    if body.get("echo"):
        raise refused("echo", "is not supported: the answer holds what follows the prompt.")
    if body.get("best_of") not in (None, 1):
        raise refused("best_of", "must be 1: StackSpot gives one answer a call.")
