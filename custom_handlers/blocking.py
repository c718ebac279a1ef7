"""Lets synchronous callers use the asynchronous handler: one event loop in a thread of its own, started when needed."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="stackspot-sync", daemon=True).start()
    return loop


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
    finally:
        run(items.aclose())
