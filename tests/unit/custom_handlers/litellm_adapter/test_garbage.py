"""Garbage is collected, but between callbacks of the loop."""

import asyncio
import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator

import pytest

from custom_handlers.litellm_adapter import garbage
from tests.harness import ROOT
from tests.sampling import thorough


class Cycle:
    def __init__(self) -> None:
        self.own = self


@pytest.fixture(autouse=True)
def own_collector() -> Iterator[None]:
    """Python's own, as it was before."""
    assert gc.isenabled()
    yield
    gc.unfreeze()
    gc.enable()


async def until_collected(gone: "weakref.ref[Cycle]") -> list[list[int]]:
    """What is made meanwhile: without anything new there is no collection."""
    made: list[list[int]] = []
    async with asyncio.timeout(60):
        while gone() is not None:
            made += [[] for _ in range(1000)]
            await asyncio.sleep(0.001)
    return made


async def test_an_older_python_collects_in_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "SECONDS", 0.001)
    loop = asyncio.get_running_loop()
    garbage.take_over(loop, (3, 11))
    garbage.take_over(loop, (3, 11))
    assert not gc.isenabled()
    gone = weakref.ref(Cycle())
    more = [Cycle() for _ in range(5000)]
    assert gone() is not None, "nothing is collected within a callback"
    await until_collected(gone)
    assert len(more) == 5000


async def test_the_old_are_collected_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "SECONDS", 0.001)
    monkeypatch.setattr(garbage, "FULL_SECONDS", 0.0)
    garbage.take_over(asyncio.get_running_loop(), (3, 11))
    cycle = Cycle()
    gone = weakref.ref(cycle)
    gc.collect()  # it is of the oldest generation now
    del cycle
    await until_collected(gone)


async def test_a_newer_python_goes_on_by_itself() -> None:
    garbage.take_over(asyncio.get_running_loop(), (3, 12))
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


@thorough
def test_no_finalizer_that_sets_a_variable_ends_the_process() -> None:
    command = [sys.executable, "-m", "tests.unit.custom_handlers.crashing", "--take-over"]
    running = [subprocess.Popen(command, cwd=ROOT) for _ in range(5)]
    assert [process.wait(120) for process in running] == [0] * 5
