"""The store of one process keeps what is used, within its bounds, and nothing for long."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from custom_handlers.stored_responses import local
from custom_handlers.stored_responses.local import LocalStore


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_a_value_is_its_owners_alone(clock: Clock) -> None:
    async def steps() -> None:
        store = LocalStore(60, clock=clock)
        await store.put("ada", {"a": b"1", "b": b"2"})
        assert await store.get("ada", ["b", "c", "a"]) == [b"2", None, b"1"]
        assert await store.get("bob", ["a", "b"]) == [None, None]
        await store.delete("bob", ["a"])
        await store.delete("ada", ["b", "never there"])
        assert await store.get("ada", ["a", "b"]) == [b"1", None]
        assert store.size == 1

    run(steps())


def test_a_value_ends_so_long_after_its_last_use(clock: Clock) -> None:
    async def steps() -> None:
        store = LocalStore(60, clock=clock)
        await store.put("ada", {"used": b"1", "unused": b"2"})
        clock.now = 59
        assert await store.get("ada", ["used"]) == [b"1"]
        clock.now = 118
        assert await store.get("ada", ["used", "unused"]) == [b"1", None]
        clock.now = 178
        assert await store.get("ada", ["used"]) == [None]
        assert store.size == 0

    run(steps())


def test_what_nobody_asks_for_any_more_ends_as_well(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "SWEEP_SECONDS", 0.01)

    async def steps() -> None:
        store = LocalStore(60, clock=clock)
        await store.put("ada", {"a": b"1"})
        clock.now = 61
        for _ in range(500):
            if not store.size:
                break
            await asyncio.sleep(0.01)
        assert store.size == 0

    run(steps())


def test_what_was_not_used_for_longest_goes_first(clock: Clock) -> None:
    async def steps() -> None:
        store = LocalStore(60, most_values=3, most_bytes=10, clock=clock)
        await store.put("ada", {"a": b"1", "b": b"2", "c": b"3"})
        await store.get("ada", ["a"])
        await store.put("ada", {"d": b"4"})
        assert await store.get("ada", ["a", "b", "c", "d"]) == [b"1", None, b"3", b"4"]
        await store.put("ada", {"e": b"5" * 9})
        assert await store.get("ada", ["a", "c", "d", "e"]) == [None, None, b"4", b"5" * 9]
        await store.put("ada", {"too large": b"6" * 11})
        assert await store.get("ada", ["too large"]) == [None]

    run(steps())


def test_one_owner_cannot_fill_the_process(clock: Clock) -> None:
    """Of all owners, the one who has done nothing for longest loses first."""

    async def steps() -> None:
        store = LocalStore(60, most_bytes=10, most_bytes_in_all=15, clock=clock)
        await store.put("ada", {"a": b"1" * 8})
        await store.put("bob", {"b": b"2" * 3})
        await store.get("ada", ["a"])
        await store.put("eve", {"e": b"3" * 7})
        assert await store.get("bob", ["b"]) == [None]
        assert await store.get("ada", ["a"]) == [b"1" * 8]
        assert store.size == 15

    run(steps())
