"""The store of one process: in its memory, within bounds."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from custom_handlers.stored_responses.store import MOST_BYTES, MOST_BYTES_IN_PROCESS, MOST_VALUES

SWEEP_SECONDS = 30.0


@dataclass(slots=True)
class _Shelf:
    """One owner's values with the time at which each ends, the longest unused first: so the first ends first."""

    values: OrderedDict[str, tuple[bytes, float]] = field(default_factory=OrderedDict)
    size: int = 0

    def drop(self, name: str) -> int:
        value, _ = self.values.pop(name, (b"", 0.0))
        self.size -= len(value)
        return len(value)


class LocalStore:
    """`seconds` is how long a value is kept after its last use."""

    def __init__(
        self,
        seconds: float,
        *,
        most_bytes: int = MOST_BYTES,
        most_values: int = MOST_VALUES,
        most_bytes_in_all: int = MOST_BYTES_IN_PROCESS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds, self._clock = seconds, clock
        self._most_bytes, self._most_values, self._most_in_all = most_bytes, most_values, most_bytes_in_all
        self._shelves: OrderedDict[str, _Shelf] = OrderedDict()  # the owner who has done nothing for longest first
        self._sweeping: asyncio.TimerHandle | None = None

    @property
    def size(self) -> int:
        """Bytes of all values."""
        return sum(shelf.size for shelf in self._shelves.values())

    async def get(self, owner: str, names: Sequence[str]) -> list[bytes | None]:
        self.sweep()
        return [self._used(owner, name) for name in names]

    async def put(self, owner: str, values: Mapping[str, bytes]) -> None:
        shelf = self._shelves.setdefault(owner, _Shelf())
        self._shelves.move_to_end(owner)
        for name, value in values.items():
            shelf.drop(name)
            shelf.values[name] = (value, self._clock() + self._seconds)
            shelf.size += len(value)
        while shelf.size > self._most_bytes or len(shelf.values) > self._most_values:
            shelf.drop(next(iter(shelf.values)))
        self.sweep()
        excess = self.size - self._most_in_all
        while excess > 0:
            oldest = next(iter(self._shelves.values()))
            excess -= oldest.drop(next(iter(oldest.values)))
            self._forget_empty()
        self._sweep_later()

    async def delete(self, owner: str, names: Sequence[str]) -> None:
        if shelf := self._shelves.get(owner):
            for name in names:
                shelf.drop(name)
            self._forget_empty()

    def sweep(self) -> None:
        """Drops what has ended."""
        now = self._clock()
        for shelf in self._shelves.values():
            while shelf.values and next(iter(shelf.values.values()))[1] <= now:
                shelf.drop(next(iter(shelf.values)))
        self._forget_empty()

    def _used(self, owner: str, name: str) -> bytes | None:
        shelf = self._shelves.get(owner)
        if not shelf or name not in shelf.values:
            return None
        value, _ = shelf.values.pop(name)
        shelf.values[name] = (value, self._clock() + self._seconds)
        self._shelves.move_to_end(owner)
        return value

    def _forget_empty(self) -> None:
        for owner in [owner for owner, shelf in self._shelves.items() if not shelf.values]:
            del self._shelves[owner]

    def _sweep_later(self) -> None:
        """What nobody asks for any more ends as well."""
        if self._sweeping is None and self._shelves:
            self._sweeping = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep_again)

    def _sweep_again(self) -> None:
        self._sweeping = None
        self.sweep()
        self._sweep_later()
