"""When the account's next request may go: GCRA with a small burst, a log of the last minute, and what 429s have taught.

The clock is passed in. All times are seconds of one clock, whichever the caller uses.
"""

import math
from collections import deque
from collections.abc import Iterator

# StackSpot counts when a request arrives, which is later than it was let go, by a little more or less each time. So the
# minute is kept half a second longer: 99.2 requests a minute of 100.
WINDOW = 60.5
# After a 429 the pace falls to this part of itself, and regains `REGAIN` of the full pace in a minute.
DECREASE = 0.85
REGAIN = 0.05
# Without a 429 for so long, the full pace is tried again.
QUIET = 300.0
# No request goes for 1, 2, 4, 8, 16 seconds after a 429; it counts as the first again when the last was so long ago.
LONGEST_HOLD = 16.0
FORGIVEN = 60.0
# However many 429s come, so much of the full pace stays.
LEAST = 0.05


class Pace:
    """At most `per_minute` in any window, spread within it but for `burst` at once. Not safe for several threads."""

    def __init__(self, per_minute: float, burst: int, window: float = WINDOW) -> None:
        self.full = per_minute
        self._burst, self._window = burst, window
        self._log: deque[tuple[float, str]] = deque()
        self._arrival = -math.inf  # GCRA's theoretical arrival time
        self.held_until = -math.inf
        self._lowered_at, self._lowered_to, self._strikes = -math.inf, per_minute, 0

    def __len__(self) -> int:
        """How many went in the last window, as far as `expired` has been called."""
        return len(self._log)

    def rate(self, now: float) -> float:
        """Requests in a window at the present pace."""
        quiet = now - self._lowered_at
        if quiet >= QUIET:
            return self.full
        return min(self.full, self._lowered_to + self.full * REGAIN * quiet / 60)

    def expired(self, now: float) -> Iterator[str]:
        """Drops what is older than the window, and yields the keys that had it."""
        while self._log and self._log[0][0] + self._window <= now:
            yield self._log.popleft()[1]

    def next_slot(self, now: float, ahead: int = 0) -> float:
        """When one more may go, after `ahead` others that will go as soon as they may."""
        start, most = max(now, self.held_until), self._most
        rounds, rest = divmod(ahead, most)
        interval = self._window / self.rate(now)
        spread = max(self._arrival, start) + (ahead - self._burst + 1) * interval
        # The one that has to leave the window first: `rest` further when that many go before.
        place = len(self._log) - most + rest
        counted = self._log[place][0] + self._window if place >= 0 else start
        return max(start, spread, counted + rounds * self._window)

    def take(self, now: float, key: str) -> None:
        """A request of `key` goes."""
        self._arrival = max(self._arrival, now) + self._window / self.rate(now)
        self._log.append((now, key))

    def give_back(self, taken: float, key: str, now: float) -> bool:
        """The request that went at `taken` was not sent after all. False when it has left the log."""
        try:
            self._log.remove((taken, key))
        except ValueError:
            return False
        self._arrival -= self._window / self.rate(now)
        return True

    def refused(self, taken: float, now: float, retry_after: float | None = None) -> None:
        """StackSpot answered 429 to the request that went at `taken`.

        Those that were on their way when the pace was lowered say nothing new: one burst of 429s lowers it once.
        """
        if taken > self._lowered_at:
            self._strikes = self._strikes + 1 if now - self._lowered_at < FORGIVEN else 0
            self._lowered_to = max(self.full * LEAST, self.rate(now) * DECREASE)
            self._lowered_at = now
            self.held_until = max(self.held_until, now + min(2.0**self._strikes, LONGEST_HOLD))
        if retry_after is not None:
            self.held_until = max(self.held_until, now + retry_after)

    def resize(self, per_minute: float) -> None:
        """Another full pace from now on; what was learned keeps its proportion."""
        self._lowered_to *= per_minute / self.full
        self.full = per_minute

    @property
    def _most(self) -> int:
        return max(1, int(self.full))
