"""All processes pace together, through Redis; each paces its share alone while Redis is away.

A request takes one round trip when it may go at once, and two when it waits: `ask`, and `start` when its turn has come.
Waiters do not poll. The script says whose turn is next, and when, to all processes by PUBLISH: the one whose request it
is sleeps until then, the others know that the line moves. Whoever comes meanwhile and has had less goes first, as in
one process; the displaced hears of it. Polling would cost a round trip for each process at each slot, or leave slots
unused; a slot reserved at arrival could not be given to somebody who comes later. A message may be lost: whoever hears
nothing for a second after a turn has come sends a sign of life, which also moves a line whose head belongs to a process
that was killed.
"""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from custom_handlers.pacing.history import History
from custom_handlers.pacing.link import Link, LostError
from custom_handlers.pacing.memory import MemoryPacer, MovedError
from custom_handlers.pacing.pace import WINDOW
from custom_handlers.pacing.quota import LEAST_WEIGHT, MOST_WEIGHT, NoTurnError, Quota, Status, Turn
from custom_handlers.pacing.script import AwayError


class RedisPacer:
    """The Pacer of one account, for all processes that name the same `account`.

    `connect` makes a client of `redis.asyncio` for one event loop; it must set no `socket_timeout`, which would end the
    subscription in every quiet second.
    """

    def __init__(self, quota: Quota, connect: Callable[[], Any], account: str, window: float = WINDOW) -> None:
        self._quota, self._window = quota, window
        self._connect, self._account = connect, account
        self._links: dict[asyncio.AbstractEventLoop, Link] = {}
        self._local = MemoryPacer(quota, window=window)
        self._history = History(window)
        self._process = os.getpid()

    async def acquire(self, key: str, weight: float = 1.0, wait: float | None = None) -> Turn:
        return await self._turn(key, weight, wait, None, None)

    async def again(self, turn: Turn, retry_after: float | None = None, wait: float | None = None) -> Turn:
        return await self._turn(turn.key, turn.weight, wait, turn, retry_after)

    async def give_back(self, turn: Turn) -> None:
        if isinstance(turn.grant, str):
            self._link().leave(turn.grant, turn.key)
        else:
            await self._local.give_back(turn)

    async def status(self) -> Status:
        try:
            return await self._link().status()
        except AwayError:
            return await self._local.status()

    async def _turn(
        self, key: str, weight: float, wait: float | None, refused: Turn | None, retry_after: float | None
    ) -> Turn:
        key, weight = quote(key, safe=""), min(max(weight, LEAST_WEIGHT), MOST_WEIGHT)
        link, asked_at = self._link(), time.monotonic()
        before = refused.queued if refused else 0.0
        longest = self._quota.max_wait - before
        wait = longest if wait is None else min(wait, longest)
        number = refused.number if refused else 0
        while True:
            left = wait - (time.monotonic() - asked_at)
            try:
                if link.away:
                    turn = await self._alone(link, key, weight, left, refused, retry_after)
                else:
                    turn = await link.turn(key, weight, left, number, refused, retry_after)
                    self._local.note(key, weight)
            except (AwayError, MovedError):
                continue
            except LostError as lost:
                number, refused = lost.number, None
                continue
            self._history.add(key, link.epoch if isinstance(turn.grant, str) else "")
            turn.queued = before + time.monotonic() - asked_at
            return turn

    async def _alone(
        self, link: Link, key: str, weight: float, left: float, refused: Turn | None, retry_after: float | None
    ) -> Turn:
        """A turn of this process' share of the last known pace."""
        self._local.resize(link.share)
        if refused:
            return await self._local.again(refused, retry_after, left)
        if left <= 0:
            raise NoTurnError(1.0)
        return await self._local.acquire(key, weight, left)

    async def aclose(self) -> None:
        """Ends what runs in the present event loop for this pacer."""
        if link := self._links.pop(asyncio.get_running_loop(), None):
            await link.aclose()

    def _link(self) -> Link:
        if self._process != os.getpid():  # forked: the parent's connections are not ours
            self._process, self._links = os.getpid(), {}
            self._local = MemoryPacer(self._quota, window=self._window)
        loop = asyncio.get_running_loop()
        if loop not in self._links:
            self._links = {other: link for other, link in self._links.items() if not other.is_closed()}
            self._links[loop] = Link(
                self._connect(), self._account, self._quota, self._window, self._history, self._local.close_queue
            )
        return self._links[loop]
