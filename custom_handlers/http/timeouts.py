"""The time limits of a call, enforced: until the first piece of the answer, between two pieces, and in all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from custom_handlers.core.errors import CallerTimeout, UpstreamTimeout


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds: until the first piece of the answer, between two pieces, and for the whole call."""

    first_byte: float = 180.0
    idle: float = 120.0
    total: float = 600.0


class Deadline:
    """The time limits of one call, counted from its construction. Needs a running event loop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._now = asyncio.get_running_loop().time
        self._end = self._now() + limits.total
        self._first = self._now() + limits.first_byte
        self._begun = False

    @property
    def remaining(self) -> float:
        return min(self._next(), self._end) - self._now()

    def progress(self) -> None:
        """Call at the first sign of life that counts: from here on the idle limit holds."""
        self._begun = True

    @asynccontextmanager
    async def bound(self) -> AsyncIterator[None]:
        """Raises UpstreamTimeout or CallerTimeout when the block takes longer than the call still may."""
        until = self._next()
        try:
            async with asyncio.timeout_at(min(until, self._end)):
                yield
        except TimeoutError:
            if self._end <= until:
                raise CallerTimeout(
                    f"The answer took longer than this call's time limit of {self._limits.total:.3g} s."
                ) from None
            silent_for = self._limits.idle if self._begun else self._limits.first_byte
            raise UpstreamTimeout(f"StackSpot was silent for {silent_for:g} s.") from None

    def _next(self) -> float:
        # Idle is the time spent waiting for StackSpot, not what a slow caller takes for a piece.
        return self._now() + self._limits.idle if self._begun else self._first
