"""What the proxy's garbage collection may cost, and when it may happen.

LiteLLM's million objects, made at start, stay for good: to look through all of them again and again would stop
everybody for a second or two each time.

On a Python before 3.12 garbage is collected between the loop's callbacks instead of within them. There a collection
may begin inside ContextVar.set(). LiteLLM's streams set such variables when they are collected, which frees what the
interrupted call still reads (python/cpython#148891): the gateway ended with a segmentation fault, on 3.11.7 about once
in ten thousand streamed answers. From 3.12 on Python itself collects between instructions only.
"""

from __future__ import annotations

import asyncio
import gc
import sys

SECONDS = 0.25  # between two looks: twenty a second cost a plain request 0.7 ms, four 0.4
# A collection of everything costs the more the longer the gateway runs.
FULL_SECONDS = 30.0


def take_over(loop: asyncio.AbstractEventLoop, version: tuple[int, ...] = sys.version_info[:2]) -> None:
    """To be called when the proxy has started, and safe to call again: what exists now is never looked at again."""
    gc.freeze()
    if version < (3, 12) and gc.isenabled():
        gc.disable()
        _collect(loop, loop.time())


def _collect(loop: asyncio.AbstractEventLoop, last_full: float) -> None:
    """What Python does by itself: a generation whose count is over its threshold, with those that are younger."""
    youngest, middle, oldest = (
        count > threshold > 0 for count, threshold in zip(gc.get_count(), gc.get_threshold(), strict=True)
    )
    if oldest and loop.time() - last_full > FULL_SECONDS:
        gc.collect()
        last_full = loop.time()
    elif middle:
        gc.collect(1)
    elif youngest:
        gc.collect(0)
    loop.call_later(SECONDS, _collect, loop, last_full)
