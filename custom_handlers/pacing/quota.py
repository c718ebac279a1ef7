"""What a pacer is told, what it hands out, and what it says when it cannot: the words of all stores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

IN_PROCESS = "in-process"  # the key of calls that come through no proxy
# A weight beyond these is taken as the nearest of them: what a key had in excess is forgotten after a minute.
LEAST_WEIGHT, MOST_WEIGHT = 0.1, 100.0
# Where it stands in the metadata of a key, or of its team for keys without one.
WEIGHT_FIELD = "stackspot_weight"


@dataclass(frozen=True, slots=True)
class Quota:
    """What an account may, and how long requests may wait for it (seconds)."""

    per_minute: float = 100
    burst: int = 5
    max_wait: float = 60.0
    max_queue: int = 1000


class NoTurnError(Exception):
    """The request would have to wait for longer than it may. `retry_after`: seconds until its turn would have come."""

    def __init__(self, retry_after: float, *, full: bool = False) -> None:
        self.retry_after, self.full = retry_after, full
        super().__init__(f"The queue is {'full' if full else 'too long'}: {retry_after:.0f} s.")


@dataclass(slots=True)
class Turn:
    """The right to send one request now. `queued` is how long it has waited in all, seconds."""

    key: str
    weight: float
    number: int
    taken: float  # by the clock of the store that gave it
    queued: float
    grant: object  # what the store knows it by


@dataclass(frozen=True, slots=True)
class Status:
    """What an operator may see. `keys`: for each, how many wait, and how many went in the last minute."""

    rate: float
    waiting: int
    gone: int
    keys: Mapping[str, tuple[int, int]]
    last_429: float | None  # seconds ago
    shared: bool


class Pacer(Protocol):
    """Hands out turns. Usable from any event loop."""

    async def acquire(self, key: str, weight: float = 1.0, wait: float | None = None) -> Turn:
        """Waits for a turn, for at most `wait` seconds (never longer than the quota says). Raises NoTurnError.

        Whoever is cancelled while it waits leaves the queue.
        """

    async def again(self, turn: Turn, retry_after: float | None = None, wait: float | None = None) -> Turn:
        """The next turn of a request that StackSpot refused with 429: first of its key, and the pace is lowered."""

    async def give_back(self, turn: Turn) -> None:
        """The request was not sent: its turn is somebody else's."""

    async def status(self) -> Status: ...
