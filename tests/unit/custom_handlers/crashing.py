"""Run by test_garbage: what LiteLLM's streams do, often enough that Python before 3.12 dies of it two times in three.

Objects in cycles whose finalizer sets a context variable, collected while another one is set.
"""

import asyncio
import contextvars
import gc
import sys

from custom_handlers.litellm_adapter import garbage

trace = contextvars.ContextVar[object]("trace")
others = [contextvars.ContextVar[object](f"other-{number}") for number in range(40)]


class Stream:
    def __init__(self) -> None:
        self.own = self

    def __del__(self) -> None:
        trace.set(object())


async def main() -> None:
    gc.set_threshold(7)
    if "--take-over" in sys.argv:
        garbage.take_over(asyncio.get_running_loop(), (3, 11))
    for _ in range(300):
        for number in range(500):
            Stream()
            others[number % 40].set(object())
        await asyncio.sleep(0)


asyncio.run(main())
