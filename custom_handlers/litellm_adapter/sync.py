"""Lets synchronous callers use the asynchronous handler: one event loop in a thread of its own, started when needed."""

import asyncio
import os
import sys
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator
from typing import Any, TypeVar

T = TypeVar("T")

_starting = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}


def _loop() -> asyncio.AbstractEventLoop:
    with _starting:
        process = os.getpid()  # a forked process has its parent's loop, but not the thread that runs it
        if process not in _loops:
            _loops[process] = asyncio.new_event_loop()
            threading.Thread(target=_loops[process].run_forever, name="stackspot-sync", daemon=True).start()
        return _loops[process]


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, run to its end; interrupting the caller cancels it."""
    future = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


def iterate(items: AsyncGenerator[T]) -> Iterator[T]:
    """The items of an asynchronous generator, which is closed when the caller stops."""
    end: Any = object()

    async def following() -> T:
        return await anext(items, end)

    try:
        while (item := run(following())) is not end:
            yield item
    except GeneratorExit:
        # Not waited for: a forgotten stream is closed by the garbage collector, in whatever thread that runs, the
        # loop's own included, and also when the interpreter ends and that thread stands still.
        if not sys.is_finalizing():
            asyncio.run_coroutine_threadsafe(items.aclose(), _loop())
        raise
