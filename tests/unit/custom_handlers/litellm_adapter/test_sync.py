"""Synchronous callers of asynchronous code: results, errors, interruption, and streams that nobody reads to the end."""

import asyncio
import gc
import os
import signal
import threading
import time
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import pytest

from custom_handlers.litellm_adapter import sync


class Numbers:
    """A generator that tells when it was closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    async def count(self, last: int = 10) -> AsyncGenerator[int]:
        try:
            for number in range(last):
                await asyncio.sleep(0)
                yield number
        finally:
            self.closed.set()


async def add(one: int, two: int) -> int:
    await asyncio.sleep(0)
    return one + two


async def fail() -> None:
    raise LookupError("no")


def test_results_and_errors() -> None:
    assert sync.run(add(1, 2)) == 3
    with pytest.raises(LookupError, match="no"):
        sync.run(fail())


async def test_it_works_where_a_loop_is_running() -> None:
    assert sync.run(add(1, 2)) == 3
    assert list(sync.iterate(Numbers().count(3))) == [0, 1, 2]


def test_all_threads_share_one_loop() -> None:
    async def loop() -> int:
        return id(asyncio.get_running_loop())

    with ThreadPoolExecutor(20) as threads:
        assert len(set(threads.map(lambda _: sync.run(loop()), range(100)))) == 1


def test_items_and_the_error_after_them() -> None:
    async def broken() -> AsyncGenerator[int]:
        yield 1
        raise LookupError("no")

    assert list(sync.iterate(Numbers().count(3))) == [0, 1, 2]
    found = []
    with pytest.raises(LookupError, match="no"):  # noqa: PT012
        for item in sync.iterate(broken()):
            found.append(item)
    assert found == [1]


def test_a_stream_that_is_left_is_closed() -> None:
    numbers = Numbers()
    for number in sync.iterate(numbers.count()):
        if number == 2:
            break
    assert numbers.closed.wait(30)


@pytest.mark.timeout(60)
def test_a_forgotten_stream_may_be_collected_in_any_thread() -> None:
    numbers = Numbers()

    def forget() -> None:
        stream = sync.iterate(numbers.count())
        next(stream)
        cycle: list[object] = [stream]
        cycle.append(cycle)

    async def collect() -> str:
        gc.collect()
        return "collected"

    gc.disable()
    try:
        forget()
        assert sync.run(collect()) == "collected"
    finally:
        gc.enable()
    assert numbers.closed.wait(30)


@pytest.mark.timeout(60)
def test_an_interrupted_caller_cancels_its_work() -> None:
    began, cancelled = threading.Event(), threading.Event()

    async def endless() -> None:
        try:
            began.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    def press() -> None:
        began.wait(30)
        time.sleep(0.2)  # until the caller waits
        os.kill(os.getpid(), signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        threading.Thread(target=press).start()
        with pytest.raises(KeyboardInterrupt):
            sync.run(endless())
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert cancelled.wait(30)
