"""The whole policy for one account, without clock and I/O: what its pace allows, in the order of the fair queue."""

from custom_handlers.pacing.fair_queue import FairQueue, Request
from custom_handlers.pacing.pace import WINDOW, Pace
from custom_handlers.pacing.quota import LEAST_WEIGHT, MOST_WEIGHT, NoTurnError, Quota


class Policy:
    """`now` is any clock in seconds that never goes back. Not safe for several threads."""

    def __init__(self, quota: Quota, window: float = WINDOW) -> None:
        self.quota = quota
        self.pace = Pace(quota.per_minute, quota.burst, window)
        self.queue = FairQueue()
        self.last_429: float | None = None
        self._number = 0

    def ask(self, now: float, key: str, weight: float, wait: float) -> Request:
        """A request, which goes at once or waits. Raises NoTurnError when it would wait for more than `wait`."""
        self._expire(now)
        weight = min(max(weight, LEAST_WEIGHT), MOST_WEIGHT)
        self._number += 1
        request = Request(key, weight, self._number, now)
        if not len(self.queue) and self.pace.next_slot(now) <= now:
            self._take(request, now)
            self.queue.passed(request)
            return request
        seconds = self.seconds_until_turn(now, key, weight)
        full = len(self.queue) >= self.quota.max_queue
        if full or seconds > min(wait, self.quota.max_wait):
            raise NoTurnError(seconds, full=full)
        self.queue.join(request)
        return request

    def again(self, now: float, request: Request, wait: float, retry_after: float | None = None) -> Request:
        """`request` was answered with 429: it waits again, first of its key. Raises NoTurnError as `ask` does."""
        self.refused(now, request, retry_after)
        seconds = self.pace.next_slot(now) - now
        if seconds > wait:
            raise NoTurnError(seconds)
        repeated = Request(request.key, request.weight, request.number, request.asked_at)
        self.queue.join(repeated, first=True)
        return repeated

    def refused(self, now: float, request: Request, retry_after: float | None = None) -> None:
        """`request` was answered with 429, whether or not it asks again."""
        self._expire(now)
        self.last_429 = now
        if request.went_at is not None:
            self.pace.refused(request.went_at, now, retry_after)

    def note(self, now: float, key: str, weight: float) -> None:
        """A request of `key` went without having asked here."""
        self._expire(now)
        request = Request(key, weight, 0, now)
        self._take(request, now)
        self.queue.passed(request)

    def next_turn(self, now: float) -> float | None:
        """When `grant` has somebody to let go; None when nobody waits."""
        self._expire(now)
        return self.pace.next_slot(now) if len(self.queue) else None

    def grant(self, now: float) -> Request | None:
        """The one that may go now, if any; ask again until there is none."""
        self._expire(now)
        if not len(self.queue) or self.pace.next_slot(now) > now:
            return None
        if request := self.queue.pop():
            self._take(request, now)
        return request

    def leave(self, now: float, request: Request) -> None:
        """`request` is not wanted any more, whether it waits or was let go and not sent."""
        if self.queue.leave(request) or request.went_at is None:
            return
        self._expire(now)
        if self.pace.give_back(request.went_at, request.key, now):
            self.queue.given_back(request.key)
        request.went_at = None

    def seconds_until_turn(self, now: float, key: str, weight: float) -> float:
        """How long one more request of `key` would probably wait."""
        before = self.queue.places_before(key, weight, self.pace.rate(now), len(self.pace))
        return max(self.pace.next_slot(now, before) - now, 0.0)

    def _take(self, request: Request, now: float) -> None:
        self.pace.take(now, request.key)
        request.went_at = now

    def _expire(self, now: float) -> None:
        for key in self.pace.expired(now):
            self.queue.expired(key)
