"""One event loop's connection to the shared state: calls of the script, turns by PUBLISH, and Redis being away."""

import asyncio
import contextlib
import itertools
import logging
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

from redis.exceptions import RedisError

from custom_handlers.pacing.history import History
from custom_handlers.pacing.quota import NoTurnError, Quota, Status, Turn
from custom_handlers.pacing.script import AwayError, Next, Reply, Script
from custom_handlers.pacing.waiter import Waiter

logger = logging.getLogger("stackspot_config")

RETRY_SECONDS = 1.0  # between two looks whether Redis is back
STUCK_SECONDS = 1.0  # after a turn has come, until one that waits asks whether it missed something
HEARTBEAT_SECONDS = 30.0


class LostError(Exception):
    """Redis does not know the request any more: it has to be asked for again, as `number`."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__()


class Link:
    """Belongs to the event loop in which it is made, and ends with it."""

    def __init__(
        self,
        redis: Any,
        account: str,
        quota: Quota,
        window: float,
        history: History,
        back: Callable[[], None],
    ) -> None:
        self.away = False
        self.epoch = ""
        self.share = quota.per_minute
        self._redis, self._history, self._back = redis, history, back
        self._script = Script(redis, account, quota, window)
        self._process, self._former = secrets.token_hex(6), ""
        self._numbers = itertools.count()
        self._loop = asyncio.get_running_loop()
        self._waiters: dict[str, Waiter] = {}
        self._next = ""  # the request of these whose turn is next, if it is one of them
        self._expected = self._called = self._loop.time()
        self._joining: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._run(self._listen())
        self._run(self._watch())

    async def turn(
        self, key: str, weight: float, wait: float, number: int, refused: Turn | None, retry_after: float | None
    ) -> Turn:
        """Raises NoTurnError, AwayError or LostError."""
        request = f"{self._process}:{next(self._numbers)}"
        waiter = self._waiters[request] = Waiter()
        until = self._loop.time() + wait
        try:
            asked: tuple[Any, ...] = (request, key, weight, wait, number)
            if refused:
                taken = refused.taken if isinstance(refused.grant, str) else 0
                reply = await self._call("again", *asked, taken, -1 if retry_after is None else retry_after)
            else:
                reply = await self._call("ask", *asked)
            if reply.outcome == "go":
                return Turn(key, weight, int(reply.number), reply.now, 0.0, request)
            if reply.outcome in ("no", "full"):
                raise NoTurnError(max(reply.number, 1.0), full=reply.outcome == "full")
            number = int(reply.number) or number
            waiter.accepted = True
            taken = await self._started(request, key, waiter, until, number)
            return Turn(key, weight, number, taken, 0.0, request)
        except (NoTurnError, AwayError):
            raise
        except BaseException:  # cancelled, or out of time: it may stand in the queue, or may have been let go
            self.leave(request, key)
            raise
        finally:
            del self._waiters[request]

    def leave(self, request: str, key: str) -> None:
        """The request does not wait any more, or was let go and not sent. Returns at once."""

        async def leave() -> None:
            with contextlib.suppress(AwayError):
                await self._call("leave", request, key)

        if not self.away:
            self._run(leave())

    async def status(self) -> Status:
        """Raises AwayError."""
        reply = await self._call("status")
        last, gone, records = reply.rest
        fields, keys = [text.decode() for text in records], {}
        for key, packed in zip(fields[::2], fields[1::2], strict=True):
            _, _, recent, size, *_ = packed.split(" ")
            keys[key] = int(size), int(recent)
        ago = float(last) if float(last) >= 0 else None
        return Status(reply.rate, int(reply.number), gone, keys, ago, shared=True)

    async def _started(self, request: str, key: str, waiter: Waiter, until: float, number: int) -> float:
        """Waits for the request's turn. The time of Redis at which it went. Raises as `turn` does."""
        while not waiter.lost:
            now = self._loop.time()
            if now >= until:
                self.leave(request, key)
                raise NoTurnError(max(self._expected - now, 1.0))
            if waiter.start is None or waiter.start > now:
                await waiter.until(until if waiter.start is None else min(waiter.start, until))
                continue
            try:
                reply = await self._call("start", request, key)
            except AwayError:
                return 0.0  # its turn had come: whoever can be reached keeps to it
            match reply.outcome:
                case "go":
                    return reply.number
                case "gone":
                    break
                case "later":
                    waiter.start = self._loop.time() + reply.number
                case _ if self._next != request:  # somebody else has taken its place
                    waiter.start = None
        raise AwayError if self.away else LostError(number)

    async def _call(self, step: str, *arguments: Any) -> Reply:
        reply = await self._eval(step, *arguments)
        if reply.outcome == "join":
            await self._join(reply.epoch)
            reply = await self._eval(step, *arguments)
            if reply.outcome == "join":
                raise AwayError
        return reply

    async def _join(self, epoch: str) -> None:
        """Makes this process known to a state that has lost it, or is new. What waits here has to ask again."""
        if self._joining is None or self._joining.done():

            async def join() -> None:
                reply = await self._eval("join", self._former, *self._history.unknown_to(epoch))
                self.epoch = reply.epoch
                self._history.known_to(reply.epoch)
                self._ask_again()

            self._joining = self._run(join())
        await asyncio.shield(self._joining)

    async def _eval(self, step: str, *arguments: Any) -> Reply:
        try:
            reply = await self._script(step, self._process, self.epoch, *arguments)
        except AwayError as away:
            self._go_away(away)
            raise
        self._called = self._loop.time()
        self.share = reply.rate / max(reply.processes, 1)
        self._announced(reply.next)
        return reply

    def _announced(self, turn: Next) -> None:
        self._expected = self._loop.time() + turn.seconds
        if self._next != turn.request and (displaced := self._waiters.get(self._next)):
            displaced.turn(None)
        self._next = turn.request
        if waiter := self._waiters.get(turn.request):
            waiter.turn(self._expected)

    def _ask_again(self) -> None:
        for waiter in self._waiters.values():
            if waiter.accepted:
                waiter.lose()

    def _go_away(self, reason: AwayError) -> None:
        if self.away:
            return
        self.away = True
        # Under another name when it is back: what stands in the queue under the old one is nobody's.
        self._process, self._former = secrets.token_hex(6), self._process
        logger.warning("Redis is away (%s): each process paces its own share.", reason)
        self._ask_again()
        self._run(self._come_back())

    async def _come_back(self) -> None:
        while self.away:
            await asyncio.sleep(RETRY_SECONDS)
            with contextlib.suppress(AwayError):
                await self._call("tick")
                self.away = False
                logger.warning("Redis is back: all processes pace together.")
        self._back()

    async def _listen(self) -> None:
        """What the script publishes: process, request, and seconds until it starts."""
        while True:
            try:
                async with self._redis.pubsub() as messages:
                    await messages.subscribe(self._script.channel)
                    async for message in messages.listen():
                        if message["type"] == "message":
                            process, request, seconds = message["data"].decode().split(" ")
                            self._announced(Next(process, request, float(seconds)))
            except (RedisError, OSError, TimeoutError):
                await asyncio.sleep(RETRY_SECONDS)

    async def _watch(self) -> None:
        """A sign of life when the line stands still, and now and then."""
        while True:
            await asyncio.sleep(RETRY_SECONDS / 2)
            now = self._loop.time()
            stuck = self._waiters and now > max(self._expected, self._called) + STUCK_SECONDS
            if not self.away and (stuck or now > self._called + HEARTBEAT_SECONDS):
                with contextlib.suppress(AwayError):
                    await self._call("tick")

    def _run(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._redis.aclose()
