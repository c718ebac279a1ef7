"""What the handler leaves for the proxy about the request that it works on, where LiteLLM carries nothing.

LiteLLM drops an exception's headers on two surfaces, and its failure hook learns nothing of a text completion's call.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Notes:
    """`headers` belong to an answer that is an error; `bill` is LiteLLM's usage and cost of a call that failed."""

    headers: dict[str, str] = field(default_factory=dict)
    bill: tuple[Any, float] | None = None


_notes: ContextVar[Notes | None] = ContextVar("stackspot_notes", default=None)


def begin() -> Notes:
    """Notes on the request that the current task serves, seen by all tasks that it starts."""
    notes = Notes()
    _notes.set(notes)
    return notes


def current() -> Notes | None:
    """None outside the proxy."""
    return _notes.get()
