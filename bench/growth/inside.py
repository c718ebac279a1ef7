"""What the emulation costs by size, in this process and without a proxy."""

import asyncio
import gc
import statistics
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

from bench.growth.fit import Line
from bench.requests import CODE, PROSE, messages, tools, turns
from custom_handlers.core.events import Delta, Event, Finish
from custom_handlers.emulation.emulator import emulate, prepare
from custom_handlers.emulation.tools import forget

Work = Callable[[], Any]
OFFERED = {"tools": tools(), "tool_choice": "auto"}


def prompt(size: int) -> Work:
    """Characters of one conversation, with tools."""
    talk = messages(size)
    return lambda: prepare(talk, OFFERED)


def offered(size: int) -> Work:
    """Tools that were not seen before."""
    some, talk = {"tools": tools(size)}, [{"role": "user", "content": "Go."}]

    def work() -> None:
        forget()
        prepare(talk, some)

    return work


def history(size: int) -> Work:
    """Turns of calls and their results, short ones."""
    talk = [{"role": "user", "content": "Go."}, *turns(size, unit=6)]
    return lambda: prepare(talk, OFFERED)


def answer(size: int) -> Work:
    """Characters of an answer, in pieces of sixteen."""
    text = (PROSE + CODE) * (size // len(PROSE + CODE))
    planned = prepare([{"role": "user", "content": "Go."}], OFFERED)

    async def upstream(_: str) -> AsyncGenerator[Event]:
        for at in range(0, len(text), 16):
            yield Delta({"content": text[at : at + 16]})
        yield Finish()

    async def read() -> None:
        async for _ in emulate(planned, upstream):
            pass

    return lambda: asyncio.run(read())


WORK: Mapping[str, tuple[Callable[[int], Work], str, Sequence[int]]] = {
    "prompt": (prompt, "characters", (100_000, 400_000, 1_600_000, 6_400_000)),
    "tools": (offered, "tools", (8, 32, 128, 512)),
    "history": (history, "turns", (16, 64, 256, 1000)),
    "answer": (answer, "characters", (10_000, 40_000, 160_000, 640_000)),
}


def line(name: str, tries: int = 5) -> Line:
    make, unit, sizes = WORK[name]
    return Line(name, unit, "the emulation", list(sizes), [cost(make(size), tries) for size in sizes])


def cost(work: Work, tries: int) -> float:
    """CPU seconds of this thread, the median of some tries; without the collector, whose turn comes at any time."""
    found = []
    work()
    gc.disable()
    try:
        for _ in range(tries):
            started = time.thread_time()
            work()
            found.append(time.thread_time() - started)
    finally:
        gc.enable()
    return statistics.median(found)
