"""Several processes share one pace through a real Redis, which is killed and comes back; so does one of them."""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
import redis.asyncio

from custom_handlers.pacing.quota import NoTurnError, Quota, Status
from custom_handlers.pacing.shared import RedisPacer
from tests.harness import ROOT
from tests.slow.resilience.redis_server import RedisServer

WINDOW = 3.0  # seconds, in place of a minute
QUOTA = {"per_minute": 60, "burst": 3, "max_wait": 30.0, "max_queue": 1000}


class Workers:
    """Processes that ask for turns, and what became of each request."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self.processes: list[subprocess.Popen[str]] = []
        self.lines: list[dict[str, Any]] = []

    def start(self, callers: list[str], seconds: float, *, answer: float = 0.05, leaving: float = 0.0) -> None:
        settings = {
            "quota": QUOTA,
            "port": self._server.port,
            "password": self._server.password,
            "window": WINDOW,
            "seed": len(self.processes),
            "seconds": seconds,
            "callers": callers,
            "answer": answer,
            "leaving": leaving,
        }
        command = [sys.executable, "-m", "tests.slow.pacing.worker", json.dumps(settings)]
        self.processes.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))

    def ready(self) -> None:
        for process in self.processes:
            assert process.stdout
            assert json.loads(process.stdout.readline()) == {"outcome": "ready"}

    def finish(self, killed: int | None = None) -> None:
        for place, process in enumerate(self.processes):
            output, _ = process.communicate(timeout=120)
            lines = [json.loads(line) for line in output.splitlines() if line.endswith("}")]
            if place != killed:
                assert process.returncode == 0
                assert lines[-1]["outcome"] == "done"
            self.lines += [line | {"process": place} for line in lines if line["outcome"] != "done"]

    def went(self, since: float = 0.0) -> list[dict[str, Any]]:
        return sorted(
            (line for line in self.lines if line["outcome"] == "went" and line["at"] >= since),
            key=lambda line: float(line["at"]),
        )


@contextmanager
def workers(server: RedisServer) -> Iterator[Workers]:
    running = Workers(server)
    try:
        yield running
    finally:
        for process in running.processes:
            process.kill()
            process.wait()


def most_in_a_window(lines: list[dict[str, Any]]) -> int:
    """By Redis' own clock, and so whatever else the machine does."""
    times: list[float] = [line["taken"] for line in lines]
    return max(sum(start <= time < start + WINDOW - 0.001 for time in times) for start in times)


async def seen(pacer: RedisPacer, holds: Callable[[Status], bool]) -> None:
    for _ in range(3000):
        if holds(await pacer.status()):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(await pacer.status())


@pytest.fixture
def pacer_of(redis_server: RedisServer, database: "redis.Redis") -> Any:
    def make(quota: Quota, window: float = WINDOW) -> RedisPacer:
        return RedisPacer(
            quota,
            lambda: redis.asyncio.Redis(port=redis_server.port, password=redis_server.password),
            "account",
            window,
        )

    return make


def calls(database: "redis.Redis") -> int:
    return int(database.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0))


async def test_a_free_slot_costs_one_round_trip(pacer_of: Any, database: "redis.Redis") -> None:
    pacer = pacer_of(Quota(1000, burst=100), 60.0)
    await pacer.acquire("a")  # makes itself known
    before = calls(database)
    for _ in range(20):
        assert (await pacer.acquire("a")).queued < 60
    assert calls(database) - before == 20
    status = await pacer.status()
    assert (status.shared, status.gone, status.waiting, status.keys) == (True, 21, 0, {"a": (0, 21)})
    await pacer.aclose()


async def test_one_that_waits_costs_two(pacer_of: Any, database: "redis.Redis") -> None:
    """Two processes' worth of callers, all at once, so that all but the burst wait."""
    first, second = pacer_of(Quota(60, burst=1)), pacer_of(Quota(60, burst=1))
    await asyncio.gather(first.acquire("a"), second.acquire("a"))
    before = calls(database)
    turns = await asyncio.gather(*(pacer.acquire(key) for pacer in (first, second) for key in "aaabbbccc"))
    assert len({turn.number for turn in turns}) == 18
    assert calls(database) - before <= 2 * 18
    await first.aclose()
    await second.aclose()


async def test_it_has_the_words_of_any_pacer(pacer_of: Any) -> None:
    pacer = pacer_of(Quota(2, burst=2, max_wait=30.0), 60.0)
    turn = await pacer.acquire("one key", weight=3)
    other = await pacer.acquire("one key")
    with pytest.raises(NoTurnError) as error:
        await pacer.acquire("one key")
    assert 55 < error.value.retry_after <= 60
    await pacer.give_back(other)
    await seen(pacer, lambda status: status.gone == 1)
    third = await pacer.acquire("another")
    with pytest.raises(NoTurnError):
        await pacer.again(third, retry_after=40)
    status = await pacer.status()
    assert status.keys == {"one%20key": (0, 1), "another": (0, 1)}
    assert status.rate == pytest.approx(1.7, abs=0.01)
    assert status.last_429 is not None
    assert turn.queued < 30
    await pacer.aclose()


async def test_who_leaves_has_no_turn(pacer_of: Any) -> None:
    pacer = pacer_of(Quota(10, burst=1), 2.0)
    await pacer.acquire("a")
    tasks = [asyncio.create_task(pacer.acquire("a")) for _ in range(6)]
    await seen(pacer, lambda status: status.waiting == 6)
    for task in tasks[:5]:
        task.cancel()
    assert (await asyncio.wait_for(tasks[5], 20)).key == "a"
    await seen(pacer, lambda status: not status.waiting)
    await pacer.aclose()


def test_processes_share_one_pace_fairly(redis_server: RedisServer, database: "redis.Redis") -> None:
    """One key has twelve callers, four others two each, in three processes; some leave the queue."""
    with workers(redis_server) as running:
        for _ in range(3):
            running.start(["greedy"] * 4 + ["a", "b", "c", "d"][:3] + ["d"], seconds=4 * WINDOW, leaving=0.1)
        running.ready()
        running.finish()
    went = running.went()
    assert most_in_a_window(went) <= QUOTA["per_minute"]
    shares = Counter(line["key"] for line in went)
    assert len(went) >= 2 * QUOTA["per_minute"]
    assert max(shares.values()) - min(shares.values()) <= 0.4 * max(shares.values())
    assert {line["outcome"] for line in running.lines} <= {"went", "left"}


def test_a_process_that_is_killed_holds_nobody_up_for_long(redis_server: RedisServer, database: "redis.Redis") -> None:
    with workers(redis_server) as running:
        for _ in range(2):
            running.start(["a"] * 10 + ["b"] * 10, seconds=5 * WINDOW)
        running.ready()
        time.sleep(WINDOW)
        running.processes[0].kill()
        killed = time.time()
        running.finish(killed=0)
    # One slot is lost to the dead. If each of its requests held one up, there would be one turn in three seconds.
    assert len([line for line in running.went(killed) if line["process"] == 1]) >= QUOTA["per_minute"]


def test_each_paces_its_share_while_redis_is_away(redis_server: RedisServer, database: "redis.Redis") -> None:
    """Killed without having saved anything, and started again later, all under load."""
    with workers(redis_server) as running:
        for _ in range(2):
            running.start(["a", "a", "b", "c"] * 2, seconds=8 * WINDOW)
        running.ready()
        time.sleep(2 * WINDOW)
        redis_server.kill()
        away = time.time()
        time.sleep(2 * WINDOW)
        redis_server.start()
        database.flushall()
        back = time.time()
        running.finish()
    alone = [line for line in running.went(away) if line["at"] < back]
    assert {line["process"] for line in alone} == {0, 1}
    assert len(alone) <= QUOTA["per_minute"] * ((back - away) / WINDOW + 1) + 2 * QUOTA["burst"]
    again = [line for line in running.went(back) if line["shared"]]
    assert len(again) >= QUOTA["per_minute"]
    assert most_in_a_window(again) <= QUOTA["per_minute"]
    assert {line["outcome"] for line in running.lines} == {"went"}
    with redis.Redis(port=redis_server.port, password=redis_server.password) as client:
        assert client.keys("*pacing*"), "they pace together again"


def test_state_expires_and_a_broken_one_is_thrown_away(
    redis_server: RedisServer, database: "redis.Redis", pacer_of: Any
) -> None:
    async def ask() -> None:
        pacer = pacer_of(Quota())
        await pacer.acquire("a")
        assert all(database.ttl(key) > 0 for key in database.keys("*pacing*"))
        database.delete("{stackspot-pacing:account}:keys")
        database.set("{stackspot-pacing:account}:keys", "evicted and replaced")
        await pacer.acquire("a")
        await seen(pacer, lambda status: status.shared)
        await pacer.aclose()

    asyncio.run(ask())
