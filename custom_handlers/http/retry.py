"""When a request is tried again: a pure decision, and what all tries of one call share."""

import asyncio
import random
import time
from dataclasses import dataclass

from custom_handlers.core.errors import RateLimitError, StackSpotError
from custom_handlers.http.timeouts import LEAST_SECONDS, Deadline
from custom_handlers.http.turns import Turns

RETRY_DELAYS = (1.0, 2.0, 4.0)
MAX_PAUSE_SECONDS = 60.0


@dataclass(slots=True)
class Attempts:
    """What one call may still ask, and whether StackSpot has its last question: retries and corrections share it."""

    left: int = 1 + len(RETRY_DELAYS)
    asked: bool = False
    turns: Turns | None = None  # of an account whose requests are paced
    first_sent: float | None = None  # time.monotonic() of the first try, and of the last
    sent: float = 0.0
    waited_first: float = 0.0  # seconds until the first try's turn
    failed: StackSpotError | None = None  # why the last try that has ended brought nothing

    def take(self) -> None:
        """Call before each try."""
        self.left, self.asked, self.sent = self.left - 1, True, time.monotonic()
        if self.first_sent is None:
            self.first_sent, self.waited_first = self.sent, self.waited

    @property
    def waited(self) -> float:
        """Seconds of the call until its turns, so far."""
        return self.turns.waited if self.turns else 0.0

    def refused(self) -> None:
        """Call when StackSpot did not take the question: it cost nothing."""
        self.asked = False

    def postponed(self, error: RateLimitError) -> bool:
        """Whether the pacer will let the request go again, after its 429: then the try does not count."""
        if self.turns:
            self.turns.refused(error)
            self.left += 1
        return self.turns is not None


@dataclass(slots=True)
class Pause:
    """A 429 holds for the account, so all its calls wait (StackSpot sends no Retry-After; MIDIR).

    For an account that is not paced: a pacer does more than this.
    """

    until: float = 0.0

    async def wait(self, deadline: Deadline) -> None:
        """Raises RateLimitError when the pause outlasts the call."""
        seconds = self.until - time.monotonic()
        if seconds <= 0:
            return
        if seconds < deadline.remaining:
            await asyncio.sleep(seconds + random.uniform(0, 0.25))  # noqa: S311 - spreads load, hides nothing
            if deadline.remaining > 0:
                return
        raise RateLimitError("StackSpot's request limit for this account is reached.", retry_after=seconds)

    def extend(self, seconds: float) -> None:
        self.until = max(self.until, time.monotonic() + min(seconds, MAX_PAUSE_SECONDS))


def retry_delay(error: StackSpotError, attempt: int, remaining: float, jitter: float) -> float | None:
    """Seconds to wait before attempt `attempt` + 1, or None to give up.

    `attempt` counts from 0, `remaining` is the call's time left in seconds, `jitter` a number from 0 to 1.
    A Retry-After is honoured; one that leaves the call no time to ask again ends it at once.
    """
    if not error.retryable or attempt >= len(RETRY_DELAYS):
        return None
    delay = RETRY_DELAYS[attempt] * (0.75 + 0.5 * jitter)
    if error.retry_after is not None:
        delay = max(error.retry_after, delay)
    return delay if delay < remaining - LEAST_SECONDS else None
