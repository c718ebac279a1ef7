"""Whoever waits for a token: leaves, is impatient, or ends with its loop."""

import asyncio
import threading

import pytest

from custom_handlers.core.errors import (
    BadGatewayError,
    CallerTimeoutError,
)
from custom_handlers.http import retry
from custom_handlers.http.timeouts import Timeouts
from custom_handlers.upstream import oauth
from custom_handlers.upstream.oauth import TokenSource
from simulator.client import Simulator
from tests.unit.custom_handlers.upstream.oauth.asking import (
    asked,
    failure,
    token,
    until,
)


async def test_who_began_a_renewal_may_leave(simulator: Simulator, source: TokenSource) -> None:
    simulator.faults(header_delay=0.5, target="token")
    first = asyncio.create_task(token(source))
    await until(lambda: asked(simulator) == 1)
    others = [asyncio.create_task(token(source)) for _ in range(5)]
    await asyncio.sleep(0.05)
    first.cancel()
    assert len(set(await asyncio.gather(*others))) == 1
    assert asked(simulator) == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_an_impatient_caller_harms_nobody_else(simulator: Simulator, source: TokenSource) -> None:
    simulator.faults(header_delay=0.8, target="token")
    impatient = asyncio.create_task(token(source, timeouts=Timeouts(total=0.1)))
    await asyncio.sleep(0.01)
    patient = asyncio.create_task(token(source))
    with pytest.raises(CallerTimeoutError):
        await impatient
    assert await patient
    assert await token(source)
    assert asked(simulator) == 1


async def test_a_renewal_has_time_limits_of_its_own(
    simulator: Simulator, source: TokenSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oauth, "RENEWAL_TIMEOUTS", Timeouts(first_byte=0.2, idle=0.2, total=60))
    simulator.faults(header_delay=50, target="token")
    assert "silent for 0.2 s" in (await failure(source)).message


async def test_who_cannot_wait_for_a_renewal_is_told_what_has_failed_so_far(
    simulator: Simulator, source: TokenSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "RETRY_DELAYS", (10.0, 0.0, 0.0))
    simulator.faults(status=500, target="token")
    with pytest.raises(BadGatewayError, match="answered HTTP 500"):
        await token(source, timeouts=Timeouts(first_byte=1))
    assert asked(simulator) == 1


def test_several_event_loops(source: TokenSource, simulator: Simulator) -> None:
    """Callers in threads of their own, as an in-process application may have them."""
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(asyncio.run(token(source)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 8
    assert asyncio.run(token(source)) == asyncio.run(token(source))
    assert asyncio.run(token(source, invalidate=found[-1]))


def test_a_loop_that_ends_in_the_middle_of_a_renewal(source: TokenSource, simulator: Simulator) -> None:
    async def begin_and_leave() -> None:
        task = asyncio.create_task(token(source))
        await until(lambda: asked(simulator) == 1)
        task.cancel()

    simulator.faults(header_delay=0.5, target="token", times=1)
    asyncio.run(begin_and_leave())
    assert asyncio.run(token(source))
