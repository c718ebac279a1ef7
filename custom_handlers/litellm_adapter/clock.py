"""LiteLLM's jobs go on when the machine's clock is put back.

They run by the wall clock (APScheduler): put back by an hour, they would wait for an hour, and what keys have spent
would be held in memory until then, and be lost with the process.
"""

from __future__ import annotations

import asyncio
import logging
import time
import weakref
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from custom_handlers.litellm_adapter import process

logger = logging.getLogger("stackspot_config")

LOOK_SECONDS = 5.0
JUMP_SECONDS = 30.0  # what is less is waited for

_watched: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()


def watch(loop: asyncio.AbstractEventLoop, wall: Callable[[], float] = time.time) -> None:
    """From now on; safe to call again. `wall` gives seconds."""
    if loop not in _watched:
        _watched.add(loop)
        _look(loop, wall, wall() - loop.time())


def _look(loop: asyncio.AbstractEventLoop, wall: Callable[[], float], ahead: float) -> None:
    """`ahead`: seconds between the wall clock and one that never jumps, at the last look."""
    now = wall() - loop.time()
    back = ahead - now
    if back > JUMP_SECONDS:
        logger.warning("The clock was put back by %.0f s: LiteLLM's jobs are moved by as much.", back)
        move(process.scheduler(), timedelta(seconds=back))
    loop.call_later(LOOK_SECONDS, _look, loop, wall, now)


def move(jobs: Any, back: timedelta) -> None:
    """Jobs of an interval run as much earlier; those of a time of day at that time of the clock as it is now."""
    for job in jobs.get_jobs() if jobs else ():
        if job.next_run_time is None:  # paused
            continue
        trigger = getattr(job.trigger, "base", job.trigger)  # LiteLLM's own, which adds some seconds
        if hasattr(trigger, "interval"):
            following = job.next_run_time - back
        else:
            following = job.trigger.get_next_fire_time(None, datetime.now(job.next_run_time.tzinfo))
        job.modify(next_run_time=following)
