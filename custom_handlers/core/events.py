"""What an answer consists of, whichever upstream it comes from: deltas, then one Finish."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

STOP_SEQUENCE = "stop_sequence"  # in a Finish's `extra`: which stop sequence ended the answer


# Of one call: more than any model reads or writes is nonsense, and would empty a budget.
MAX_TOKENS = 2_000_000


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call; None where StackSpot sent no number."""

    prompt: int | None = None
    completion: int | None = None

    def __add__(self, other: "Usage") -> "Usage":
        def total(one: int | None, two: int | None) -> int | None:
            return None if one is None or two is None else one + two

        return Usage(total(self.prompt, other.prompt), total(self.completion, other.completion))


@dataclass(frozen=True, slots=True)
class Delta:
    """One piece of the answer: the fields of OpenAI's `choices[0].delta` (`content`, `tool_calls`, ...)."""

    fields: Mapping[str, Any]

    @property
    def text(self) -> str:
        content = self.fields.get("content")
        return content if isinstance(content, str) else ""


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of a complete answer; `finish_reason` is OpenAI's, `extra` goes to the caller as it is."""

    finish_reason: str = "stop"
    usage: Usage = field(default_factory=Usage)
    extra: Mapping[str, Any] = field(default_factory=dict)


Event: TypeAlias = Delta | Finish
Events: TypeAlias = AsyncIterator[Event]
