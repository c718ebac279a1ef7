"""One line for each request of a model, whatever became of it: STACKSPOT_ACCESS_LOG.

The guard writes it when the answer has ended: it alone sees every request, also those that are refused before anything
of LiteLLM or the handler works on them. What happened behind it, telemetry tells.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

from custom_handlers.core import notes, telemetry
from custom_handlers.core.shown import shown
from custom_handlers.guard.asgi_types import Message, Send

logger = logging.getLogger("stackspot_access")

# In the words of errors' outcomes, for what is refused before the handler is asked.
_OUTCOMES = {
    400: "bad_request",
    401: "authentication",
    403: "permission_denied",
    404: "not_found",
    408: "caller_timeout",
    413: "too_large",
    429: "rate_limit",
    503: "service_unavailable",
}


@dataclass
class Entry:
    """One request, as far as it is known; `model` is what the client asks for, until the handler knows better."""

    surface: str = ""
    model: str = ""
    status: int | None = None
    ended: bool = False
    began: float = field(default_factory=time.monotonic)

    def watch(self, send: Send) -> Send:
        async def watched(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start":
                self.status = int(message["status"])
            elif message["type"] == "http.response.body":
                self.ended = not message.get("more_body", False)

        return watched


class AccessLog:
    """Subscribes to telemetry, for as long as the process lives."""

    def __init__(self) -> None:
        telemetry.subscribe(_note)

    def write(self, entry: Entry, noted: notes.Notes) -> None:
        """The line of a request that has ended. What is no request of a model has none."""
        if not entry.surface:
            return
        call, lost = noted.finished, noted.lost
        if call and _somebody_else_answered(entry, noted, call):
            lost += call.tokens
            call = None
        usage = call.usage if call else None
        fields = {
            "key": shown((noted.caller.alias if noted.caller else "") or "-"),
            "model": shown((call.model if call else "") or entry.model or "-"),
            "outcome": _outcome(entry, call),
            "status": entry.status or 0,
            "seconds": round(time.monotonic() - entry.began, 2),
            "input": (usage.prompt if usage else 0) or 0,
            "output": (usage.completion if usage else 0) or 0,
            "waited": round(call.waited if call else 0.0, 2),
            "surface": entry.surface,
        }
        if lost:
            fields["lost"] = lost
        logger.info(" ".join(f"{name}={value}" for name, value in fields.items()), extra={"request": fields})


def _note(happening: telemetry.Happening) -> None:
    noted = notes.current()
    if noted and isinstance(happening, telemetry.RequestFinished):
        noted.lost += noted.finished.tokens if noted.finished else 0
        noted.finished = happening


def _somebody_else_answered(entry: Entry, noted: notes.Notes, call: telemetry.RequestFinished) -> bool:
    """Whether a provider that is not StackSpot has, after StackSpot's last call failed."""
    failed = call.outcome not in (telemetry.ANSWERED, telemetry.LEFT)
    return failed and not noted.failed and entry.ended and entry.status == 200


def _outcome(entry: Entry, call: telemetry.RequestFinished | None) -> str:
    if call and call.outcome != telemetry.ANSWERED:
        return call.outcome
    if entry.status is None or not entry.ended:
        return telemetry.LEFT
    if entry.status < 400:
        return telemetry.ANSWERED
    return _OUTCOMES.get(entry.status, "internal_server" if entry.status >= 500 else "bad_request")
