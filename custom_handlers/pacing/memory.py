"""One process paces alone: the policy behind a lock, and a timer in each event loop that has callers waiting."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from custom_handlers.pacing.fair_queue import Request
from custom_handlers.pacing.pace import WINDOW
from custom_handlers.pacing.policy import Policy
from custom_handlers.pacing.quota import NoTurnError, Quota, Status, Turn


class MovedError(Exception):
    """The caller has to wait elsewhere: this queue was closed."""


@dataclass(slots=True, eq=False)
class _Waiter:
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[None]


class MemoryPacer:
    """The Pacer of one process. Callers may come from several event loops and threads."""

    def __init__(self, quota: Quota, clock: Callable[[], float] = time.monotonic, window: float = WINDOW) -> None:
        self._policy = Policy(quota, window)
        self._clock = clock
        self._lock = threading.Lock()
        self._waiters: dict[Request, _Waiter] = {}
        self._loops: Counter[asyncio.AbstractEventLoop] = Counter()  # how many wait in each
        self._timers: dict[asyncio.AbstractEventLoop, asyncio.TimerHandle] = {}

    async def acquire(self, key: str, weight: float = 1.0, wait: float | None = None) -> Turn:
        quota = self._policy.quota
        wait = quota.max_wait if wait is None else min(wait, quota.max_wait)
        with self._lock:
            now = self._clock()
            request = self._policy.ask(now, key, weight, wait)
            if request.went_at is not None:
                return self._turn(request, request.went_at)
            waiter = self._enter(request)
        return await self._wait(request, waiter, now + wait)

    async def again(self, turn: Turn, retry_after: float | None = None, wait: float | None = None) -> Turn:
        quota = self._policy.quota
        wait = quota.max_wait - turn.queued if wait is None else min(wait, quota.max_wait - turn.queued)
        with self._lock:
            now = self._clock()
            refused = turn.grant
            if not isinstance(refused, Request):  # it went through another store
                refused = Request(turn.key, turn.weight, turn.number, now - turn.queued, went_at=now)
            request = self._policy.again(now, refused, wait, retry_after)
            request.asked_at = now - turn.queued
            waiter = self._enter(request)
        return await self._wait(request, waiter, now + wait)

    async def give_back(self, turn: Turn) -> None:
        if isinstance(turn.grant, Request):
            with self._lock:
                self._policy.leave(self._clock(), turn.grant)
                self._dispatch()

    async def status(self) -> Status:
        with self._lock:
            now, policy = self._clock(), self._policy
            policy.next_turn(now)
            return Status(
                rate=policy.pace.rate(now),
                waiting=len(policy.queue),
                gone=len(policy.pace),
                keys=policy.queue.shares(),
                last_429=None if policy.last_429 is None else now - policy.last_429,
                shared=False,
            )

    def note(self, key: str, weight: float) -> None:
        """A request of this process went by another store's leave."""
        with self._lock:
            self._policy.note(self._clock(), key, weight)

    def resize(self, per_minute: float) -> None:
        with self._lock:
            self._policy.pace.resize(per_minute)

    def close_queue(self) -> None:
        """All who wait get MovedError."""
        with self._lock:
            for request in list(self._waiters):
                self._policy.leave(self._clock(), request)
                self._wake(request)

    def _turn(self, request: Request, taken: float) -> Turn:
        return Turn(request.key, request.weight, request.number, taken, taken - request.asked_at, request)

    def _enter(self, request: Request) -> _Waiter:
        loop = asyncio.get_running_loop()
        waiter = self._waiters[request] = _Waiter(loop, loop.create_future())
        self._loops[loop] += 1
        self._arm(loop)
        return waiter

    async def _wait(self, request: Request, waiter: _Waiter, until: float) -> Turn:
        try:
            await asyncio.wait([waiter.future], timeout=max(until - self._clock(), 0))
            with self._lock:
                if request.went_at is not None:
                    return self._turn(request, request.went_at)
                if waiter.future.done():
                    raise MovedError
                now = self._clock()
                seconds = self._policy.seconds_until_turn(now, request.key, request.weight)
            raise NoTurnError(max(seconds, 1.0))
        except BaseException:  # cancelled too: a turn that has come meanwhile is somebody else's
            with self._lock:
                self._exit(request)
                self._policy.leave(self._clock(), request)
                self._dispatch()
            raise

    def _dispatch(self) -> None:
        """Lets go all whose turn it is, and sets the timers for the next; the lock is held."""
        while request := self._policy.grant(self._clock()):
            if not self._wake(request):
                self._policy.leave(self._clock(), request)
        try:
            here: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        for loop in list(self._loops):
            if loop is here:
                self._arm(loop)
            elif not loop.is_closed():
                loop.call_soon_threadsafe(self._rearm, loop)

    def _exit(self, request: Request) -> _Waiter | None:
        if waiter := self._waiters.pop(request, None):
            self._loops[waiter.loop] -= 1
            if not self._loops[waiter.loop]:
                del self._loops[waiter.loop]
        return waiter

    def _wake(self, request: Request) -> bool:
        """False when nobody reads the turn any more: its loop has ended."""
        if not (waiter := self._exit(request)):
            return False
        try:
            waiter.loop.call_soon_threadsafe(_set, waiter.future)
        except RuntimeError:
            return False
        return True

    def _rearm(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            self._arm(loop)

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        """The timer of `loop`, which is the running one, for the next turn; the lock is held."""
        if timer := self._timers.pop(loop, None):
            timer.cancel()
        now = self._clock()
        turn = self._policy.next_turn(now)
        if turn is not None:
            self._timers[loop] = loop.call_later(max(turn - now, 0), self._fire, loop)

    def _fire(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            self._timers.pop(loop, None)
            self._dispatch()


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
