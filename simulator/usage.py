"""Token counts: a rule that anyone can repeat, and the forms in which the service has reported them (section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

UsageForm = Literal["input", "user", "nulls", "absent", "null"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What one call cost. `input` includes `enrichment`, the tokens that knowledge sources added."""

    input: int
    output: int
    enrichment: int = 0


def count_tokens(text: str) -> int:
    """One token for each four characters begun; nothing for nothing."""
    return (len(text) + 3) // 4


def agent_tokens(usage: Usage, form: UsageForm, as_strings: bool) -> dict[str, Any] | None:
    """The value of `tokens` in an agent's answer.

    `user`: documentation and the service up to October 2025 (DOC-AG). `nulls`: until June 2026 (HASS, GAMBI, COPILOT).
    `input`: streaming, February and September 2026 (STKAI, MIDIR). `null`: the key without counts; `absent` never gets
    here. Numbers as strings are tolerated by one client (MIDIR).
    """
    count = str if as_strings else int
    match form:
        case "user":
            return {
                "user": count(usage.input - usage.enrichment),
                "enrichment": count(usage.enrichment),
                "output": count(usage.output),
            }
        case "nulls":
            return {
                "user": None,
                "enrichment": None,
                "input": count(usage.input),
                "output": count(usage.output),
            }
        case "input":
            return {"input": count(usage.input), "output": count(usage.output)}
        case _:
            return None


def openai_usage(usage: Usage) -> dict[str, int]:
    """The `usage` object of an OpenAI-shaped answer."""
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
    }
