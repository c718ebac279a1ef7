"""A request that waits in the shared queue, as its own process knows it."""

import asyncio
import contextlib


class Waiter:
    """One request in the queue: when its turn comes, as far as that is known, and whether it has to ask again."""

    def __init__(self) -> None:
        self.start: float | None = None
        self.lost = False
        self.accepted = False  # whether Redis has it
        self._changed = asyncio.Event()

    def turn(self, start: float | None) -> None:
        self.start = start
        self._changed.set()

    def lose(self) -> None:
        self.lost = True
        self._changed.set()

    async def until(self, time: float) -> None:
        """Returns at that time of the loop, or as soon as something has changed."""
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(time):
                await self._changed.wait()
