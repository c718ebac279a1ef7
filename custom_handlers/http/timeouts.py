"""The timeouts of a call, enforced: until the first piece of the answer, between two pieces, and in all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from custom_handlers.core.errors import CallerTimeoutError, UpstreamTimeoutError

# With less time left no further try begins: it might be paid for, and would hardly bring an answer.
LEAST_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: until the first piece of the answer, between two pieces, and for the whole call."""

    first_byte: float = 180.0
    idle: float = 120.0
    total: float = 600.0


class Deadline:
    """The timeouts of one call, counted from its construction. Needs a running event loop.

    Made once, where the call comes in, and handed to all that is asked for it.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._now = asyncio.get_running_loop().time
        self._end = self._now() + timeouts.total
        self.start_request()

    @property
    def remaining(self) -> float:
        return min(self._next(), self._end) - self._now()

    @property
    def left(self) -> float:
        """Seconds of the whole call."""
        return max(self._end - self._now(), 0.0)

    def start_request(self) -> None:
        """Call before each request of the call: it has its own time until the first piece."""
        self._first = self._now() + self._timeouts.first_byte
        self._begun = False

    def progress(self) -> None:
        """Call at the first sign of life that counts: from here on the idle timeout holds."""
        self._begun = True

    @asynccontextmanager
    async def bound(self) -> AsyncIterator[None]:
        """Raises UpstreamTimeoutError or CallerTimeoutError when the block takes longer than the call still may."""
        until = self._next()
        try:
            async with asyncio.timeout_at(min(until, self._end)):
                yield
        except TimeoutError:
            if self._end <= until:
                raise CallerTimeoutError(
                    f"The answer took longer than this call's time limit of {self._timeouts.total:.3g} s."
                ) from None
            silent_for = self._timeouts.idle if self._begun else self._timeouts.first_byte
            raise UpstreamTimeoutError(f"StackSpot was silent for {silent_for:g} s.") from None

    def _next(self) -> float:
        # Idle is the time spent waiting for StackSpot, not what a slow caller takes for a piece.
        return self._now() + self._timeouts.idle if self._begun else self._first
