"""What happens while requests are served, told to subscribers: the one source of metrics and the access log.

No event holds a prompt, an answer, a secret or an address, and what becomes a label is one of a few words: names of
models, outcomes and reasons. The one exception is the alias of a key, which an administrator has given it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from custom_handlers.core.events import Usage

logger = logging.getLogger("stackspot_config")

# Outcomes of a call beside the names of errors (core/errors.outcome_of). LEFT: the caller did not wait for the end.
ANSWERED, LEFT = "answered", "left"
# Outcomes of a tool call that a model wrote. UNFIT: passed on although it misfits its schema; LOST: unreadable twice.
VALID, CORRECTED, UNFIT, LOST, NATIVE = "valid", "corrected", "unfit", "lost", "native"
# Why an answer had to be written again.
BAD_CALL, NO_CALL, BAD_JSON, NO_ANSWER = "bad_call", "no_call", "bad_json", "no_answer"


@dataclass(frozen=True, slots=True)
class RequestFinished:
    """A call of a model has ended. `waited`: seconds until its turns; `key`: its key's alias, empty without one."""

    model: str
    outcome: str
    seconds: float
    waited: float
    stream: bool
    key: str = ""
    usage: Usage = field(default_factory=lambda: Usage(0, 0))

    @property
    def tokens(self) -> int:
        return (self.usage.prompt or 0) + (self.usage.completion or 0)


@dataclass(frozen=True, slots=True)
class UpstreamAsked:
    """One HTTP request to StackSpot has its answer's head, or has failed; `service` is which of its services."""

    service: str
    outcome: str


@dataclass(frozen=True, slots=True)
class UpstreamAnswered:
    """An answer has ended. Seconds since the request was sent: until its first text, if there was any, and in all."""

    model: str
    first: float | None
    total: float


@dataclass(frozen=True, slots=True)
class CorrectionAsked:
    reason: str


@dataclass(frozen=True, slots=True)
class ToolCalled:
    outcome: str


@dataclass(frozen=True, slots=True)
class TokenRenewed:
    outcome: str


Happening: TypeAlias = RequestFinished | UpstreamAsked | UpstreamAnswered | CorrectionAsked | ToolCalled | TokenRenewed
Listener: TypeAlias = Callable[[Happening], None]

_listeners: list[Listener] = []


def subscribe(listener: Listener) -> Callable[[], None]:
    """Has `listener` called for all that happens in this process, until what is returned is called."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)


def tell(happening: Happening) -> None:
    """Never raises: a listener must not cost anybody an answer."""
    for listener in tuple(_listeners):
        try:
            listener(happening)
        except Exception as error:
            logger.warning("%s could not be counted or logged (%s).", type(happening).__name__, type(error).__name__)
