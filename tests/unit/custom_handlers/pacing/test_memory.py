"""The pacer of one process: turns in order, departures, several event loops, and nothing lost on the way.

Minutes are short here, and the clock stands still while a test prepares: nothing depends on how fast the machine is.
"""

import asyncio
import random
import threading
import time
from collections import Counter

import pytest

from custom_handlers.pacing.memory import MemoryPacer, MovedError
from custom_handlers.pacing.quota import NoTurnError, Quota, Turn


class Clock:
    """Stands still until it is told to go."""

    def __init__(self) -> None:
        self._started: float | None = None

    def __call__(self) -> float:
        return 0.0 if self._started is None else time.monotonic() - self._started

    def go(self) -> None:
        self._started = time.monotonic()


async def started(*tasks: "asyncio.Task[Turn]") -> None:
    """Lets each task run until it waits."""
    for _ in tasks:
        await asyncio.sleep(0)


async def test_a_turn_at_once_and_turns_in_order() -> None:
    clock = Clock()
    pacer = MemoryPacer(Quota(10, burst=1), clock, window=0.2)
    assert (await pacer.acquire("a")).queued == 0
    order: list[str] = []

    async def ask(key: str) -> Turn:
        turn = await pacer.acquire(key)
        order.append(key)
        return turn

    tasks = [asyncio.create_task(ask(key)) for key in "aaab"]
    await started(*tasks)
    status = await pacer.status()
    assert (status.waiting, status.gone, status.shared) == (4, 1, False)
    assert status.keys == {"a": (3, 1), "b": (1, 0)}
    clock.go()
    turns = await asyncio.gather(*tasks)
    assert order == ["b", "a", "a", "a"]
    assert all(turn.queued > 0 for turn in turns)


async def test_who_would_wait_too_long_is_told_at_once() -> None:
    pacer = MemoryPacer(Quota(1, burst=1), Clock(), window=100.0)
    await pacer.acquire("a")
    for wait in (None, 3.0):
        with pytest.raises(NoTurnError) as error:
            await pacer.acquire("a", wait=wait)
        assert error.value.retry_after == 100


async def test_who_waits_until_its_time_is_up_leaves() -> None:
    pacer = MemoryPacer(Quota(10, burst=1), Clock(), window=1.0)  # whose next slot never comes
    await pacer.acquire("a")
    with pytest.raises(NoTurnError):
        await pacer.acquire("a", wait=0.11)
    assert (await pacer.status()).waiting == 0


async def test_a_cancelled_caller_leaves_the_queue_and_its_turn_to_others() -> None:
    clock = Clock()
    pacer = MemoryPacer(Quota(10, burst=1), clock, window=0.2)
    await pacer.acquire("a")
    tasks = [asyncio.create_task(pacer.acquire(key)) for key in "ab"]
    await started(*tasks)
    tasks[0].cancel()
    await asyncio.wait(tasks[:1])
    assert (await pacer.status()).keys == {"a": (0, 1), "b": (1, 0)}
    clock.go()
    assert (await tasks[1]).key == "b"


async def test_a_turn_that_comes_as_its_caller_leaves_is_given_to_the_next() -> None:
    pacer = MemoryPacer(Quota(2, burst=2, max_wait=10_000), Clock(), window=3600.0)
    first = await pacer.acquire("a")
    await pacer.acquire("a")
    tasks = [asyncio.create_task(pacer.acquire("a")) for _ in range(2)]
    await started(*tasks)
    await pacer.give_back(first)  # the first that waits has its turn now, and does not know yet
    tasks[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    assert (await tasks[1]).key == "a"


async def test_a_refused_request_is_first_of_its_key() -> None:
    clock = Clock()
    pacer = MemoryPacer(Quota(1000, burst=1), clock, window=1.0)
    turn = await pacer.acquire("a")
    later = [asyncio.create_task(pacer.acquire("a")) for _ in range(3)]
    await started(*later)
    again = asyncio.create_task(pacer.again(turn))
    await started(again)
    clock.go()
    first, _ = await asyncio.wait([*later, again], return_when=asyncio.FIRST_COMPLETED)
    assert again in first
    assert again.result().number == turn.number
    assert again.result().taken <= min([(await task).taken for task in later])
    status = await pacer.status()
    assert status.rate < 1000
    assert status.last_429 is not None


async def test_a_refused_request_that_may_not_wait_is_told() -> None:
    pacer = MemoryPacer(Quota(10, burst=1), Clock())
    turn = await pacer.acquire("a")
    with pytest.raises(NoTurnError) as error:
        await pacer.again(turn, retry_after=30, wait=5)
    assert error.value.retry_after == 30
    assert (await pacer.status()).waiting == 0


async def test_who_waits_can_be_sent_elsewhere() -> None:
    pacer = MemoryPacer(Quota(1, burst=1, max_wait=100), Clock(), window=30.0)
    await pacer.acquire("a")
    tasks = [asyncio.create_task(pacer.acquire(key)) for key in "ab"]
    await started(*tasks)
    pacer.close_queue()
    assert [type(found) for found in await asyncio.gather(*tasks, return_exceptions=True)] == [MovedError, MovedError]
    assert (await pacer.status()).waiting == 0


@pytest.mark.timeout(60)
def test_several_loops_share_one_pace_and_nobody_is_lost() -> None:
    """Callers of three event loops ask, leave and give back; one loop ends while others wait behind it."""
    pacer = MemoryPacer(Quota(20, burst=5, max_queue=10**6), window=0.02)
    outcomes: Counter[str] = Counter()
    lock = threading.Lock()

    async def caller(rng: random.Random) -> str:
        task = asyncio.create_task(pacer.acquire(rng.choice("abc"), rng.choice([1.0, 2.0])))
        if rng.random() < 0.3:
            await asyncio.sleep(rng.uniform(0, 0.01))
            task.cancel()
        try:
            turn: Turn = await task
        except asyncio.CancelledError:
            return "left"
        if rng.random() < 0.2:
            await pacer.give_back(turn)
            return "given back"
        return "went"

    async def callers(seed: int) -> None:
        rng = random.Random(seed)
        found = await asyncio.gather(*(caller(rng) for _ in range(100)))
        with lock:
            outcomes.update(found)

    async def gone() -> None:
        tasks = [asyncio.create_task(pacer.acquire("gone")) for _ in range(20)]
        await asyncio.sleep(0.001)
        assert tasks

    threads = [threading.Thread(target=asyncio.run, args=(callers(seed),)) for seed in range(3)]
    threads.append(threading.Thread(target=asyncio.run, args=(gone(),)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    assert sum(outcomes.values()) == 300
    assert outcomes["went"] > 0
    assert asyncio.run(pacer.status()).waiting == 0


@pytest.mark.timeout(60)
def test_a_loop_that_is_closed_with_callers_in_it_holds_nobody_up() -> None:
    clock = Clock()
    pacer = MemoryPacer(Quota(10, burst=1), clock, window=0.5)
    loop = asyncio.new_event_loop()

    async def leave_behind() -> list["asyncio.Task[Turn]"]:
        await pacer.acquire("a")
        tasks = [asyncio.create_task(pacer.acquire("a")) for _ in range(3)]
        await started(*tasks)
        return tasks

    left = loop.run_until_complete(leave_behind())
    loop.close()
    clock.go()
    assert asyncio.run(pacer.acquire("b")).key == "b"
    for task in left:
        task._log_destroy_pending = False  # type: ignore[attr-defined] # that is what this test is about
