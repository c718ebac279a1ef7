"""LiteLLM's jobs when the clock is put back: on the scheduler that LiteLLM has, with a clock that can be turned."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from custom_handlers.litellm_adapter import clock

HOUR = timedelta(hours=1)


@pytest.fixture
async def scheduler() -> AsyncIterator[Any]:
    jobs = AsyncIOScheduler(timezone=UTC)
    jobs.start()
    yield jobs
    jobs.shutdown(wait=False)


def ahead(job: Any) -> None:
    """The state in which a clock leaves a job that is put back by an hour."""
    job.modify(next_run_time=job.next_run_time + HOUR)


async def test_a_job_of_an_interval_goes_on_in_its_interval(scheduler: Any) -> None:
    runs: list[datetime] = []
    job = scheduler.add_job(lambda: runs.append(datetime.now(UTC)), "interval", seconds=0.1)
    ahead(job)
    await asyncio.sleep(0.3)
    assert runs == [], "it waits for an hour"
    clock.move(scheduler, HOUR)
    async with asyncio.timeout(10):
        while len(runs) < 3:  # noqa: ASYNC110 - the job is what is waited for
            await asyncio.sleep(0.01)


async def test_so_does_one_that_litellm_starts_some_seconds_later(scheduler: Any) -> None:
    from litellm.proxy.common_utils.scheduled_job_stagger import _OffsetTrigger

    job = scheduler.add_job(print, "interval", seconds=30)
    job.modify(trigger=_OffsetTrigger(job.trigger, timedelta(seconds=7)))
    ahead(job)
    later = job.next_run_time
    clock.move(scheduler, HOUR)
    assert job.next_run_time == later - HOUR


async def test_a_job_of_a_time_of_day_keeps_its_time(scheduler: Any) -> None:
    job = scheduler.add_job(print, "cron", hour=3, minute=17)
    right = job.next_run_time
    clock.move(scheduler, HOUR)
    assert job.next_run_time == right


async def test_a_paused_job_stays_paused(scheduler: Any) -> None:
    job = scheduler.add_job(print, "interval", seconds=1)
    job.pause()
    clock.move(scheduler, HOUR)
    assert job.next_run_time is None


def test_where_nothing_is_scheduled_nothing_is_moved() -> None:
    clock.move(None, HOUR)


@pytest.mark.parametrize(("jump", "moved"), [(-3600.0, [3600]), (3600.0, []), (-1.0, [])])
async def test_only_a_clock_that_is_put_back_moves_them(
    monkeypatch: pytest.MonkeyPatch, jump: float, moved: list[int]
) -> None:
    seconds, found = [1_000_000.0], []
    monkeypatch.setattr(clock, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(clock, "move", lambda _, back: found.append(round(back.total_seconds())))
    loop = asyncio.get_running_loop()
    for _ in range(2):
        clock.watch(loop, lambda: seconds[0] + loop.time())
    await asyncio.sleep(0.05)
    seconds[0] += jump
    await asyncio.sleep(0.1)
    assert found == moved
