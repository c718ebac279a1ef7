"""One call's turns: each of its requests to StackSpot waits for one, retries and corrections too."""

import logging
import time
from dataclasses import dataclass

from custom_handlers.core import notes
from custom_handlers.core.errors import RateLimitError
from custom_handlers.http.timeouts import LEAST_SECONDS, Deadline
from custom_handlers.pacing.quota import NoTurnError, Pacer, Turn

logger = logging.getLogger("stackspot_config")


@dataclass(slots=True)
class Turns:
    """`caller` is who asks: StackSpot's limit is shared between callers. `waited` is in seconds."""

    pacer: Pacer
    caller: notes.Caller
    waited: float = 0.0
    _turn: Turn | None = None
    _refused: RateLimitError | None = None  # with which StackSpot answered the last turn

    async def take(self, deadline: Deadline) -> None:
        """Waits until a request may go. Raises RateLimitError when that takes longer than it may."""
        began = time.monotonic()
        try:
            if self._turn and self._refused:
                turn = await self.pacer.again(self._turn, self._refused.retry_after, deadline.left - LEAST_SECONDS)
            else:
                turn = await self.pacer.acquire(self.caller.key, self.caller.weight, deadline.left)
        except NoTurnError as error:
            raise RateLimitError(
                "StackSpot's request limit for this account is reached, and "
                f"{'too many requests wait' if error.full else 'this request would wait too long'}: try again in "
                f"{max(error.retry_after, 1):.0f} s.",
                code=self._refused.code if self._refused else None,
                retry_after=max(error.retry_after, 1),
            ) from None
        finally:
            self.waited += time.monotonic() - began
        waited = turn.queued - (self._turn.queued if self._turn and self._refused else 0.0)
        self._turn, self._refused = turn, None
        if waited > 0:
            deadline.start_request()  # StackSpot was not asked meanwhile
        key, weight = self.caller.key[:8], self.caller.weight
        logger.debug("StackSpot request of key %s (weight %g) waited %.1f s for its turn", key, weight, waited)
        if noted := notes.current():
            noted.queued = (noted.queued or 0.0) + waited

    def refused(self, error: RateLimitError) -> None:
        """StackSpot answered 429: the next turn is the refused one's, and the pace is lowered."""
        self._refused = error
