"""What the proxy and the handler tell each other about the request that they work on, where LiteLLM carries nothing.

LiteLLM drops an exception's headers on two surfaces, and its failure hook learns nothing of a text completion's call.
What it says of the caller stands beside what the request's body says, and at another place on each surface.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from custom_handlers.core.telemetry import RequestFinished

if TYPE_CHECKING:
    from custom_handlers.core.tracing import Trace

UNNAMED = "unnamed"  # the caller of a gateway that has no keys


@dataclass(frozen=True, slots=True)
class Caller:
    """Who shares the account with others: a virtual key, as the proxy has authenticated it. `weight` is its share,
    `alias` its name for people.
    """

    key: str
    weight: float = 1.0
    alias: str = ""


@dataclass(slots=True)
class Notes:
    """`headers` belong to an answer that is an error; `bill` is LiteLLM's usage and cost of a call that failed;
    `queued` is how long the call has waited for its turns, seconds; `told` are failures that the log has;
    `finished` is how the last call of a model for it has ended, `lost` the tokens of those before, which failed;
    `failed` says that the request has failed as a whole; `trace` is its trace, where traces are on.
    """

    headers: dict[str, str] = field(default_factory=dict)
    bill: tuple[Any, float] | None = None
    caller: Caller | None = None
    queued: float | None = None
    told: list[str] = field(default_factory=list)
    finished: RequestFinished | None = None
    lost: int = 0
    failed: bool = False
    trace: "Trace | None" = None


_notes: ContextVar[Notes | None] = ContextVar("stackspot_notes", default=None)


def begin() -> Notes:
    """Notes on the request that the current task serves, seen by all tasks that it starts."""
    notes = Notes()
    _notes.set(notes)
    return notes


def current() -> Notes | None:
    """None outside the proxy."""
    return _notes.get()
