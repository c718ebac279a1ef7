"""What the pacer costs a request that need not wait, on the way that the handler takes: one turn after the other."""

import asyncio
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis.asyncio

from custom_handlers.core import notes
from custom_handlers.http.timeouts import Deadline, Timeouts
from custom_handlers.http.turns import Turns
from custom_handlers.pacing.memory import MemoryPacer
from custom_handlers.pacing.quota import Pacer, Quota
from custom_handlers.pacing.shared import RedisPacer
from tests.slow.resilience.redis_server import RedisServer

TURNS = 2000
FREE = Quota(per_minute=1_000_000, burst=1_000_000)


async def _turns(make: Callable[[], Pacer]) -> list[float]:
    """Milliseconds of each turn."""
    pacer, took = make(), []
    notes.begin()
    for number in range(TURNS + 100):
        turns, deadline = Turns(pacer, notes.Caller(f"key{number % 7}")), Deadline(Timeouts(total=60))
        started = time.perf_counter()
        await turns.take(deadline)
        took.append(1000 * (time.perf_counter() - started))
    if isinstance(pacer, RedisPacer):
        await pacer.aclose()
    return took[100:]


def cost(folder: Path) -> str:
    """Lines of a table."""
    server = RedisServer(folder / "cost-redis")
    server.start()

    def connect() -> Any:
        return redis.asyncio.Redis(port=server.port, password=server.password)

    try:
        lines = ["| the pacer, per request that need not wait | median (ms) | 95 % (ms) |", "|---|---|---|"]
        for name, make in (
            ("in memory", lambda: MemoryPacer(FREE)),
            ("with Redis", lambda: RedisPacer(FREE, connect, "bench")),
        ):
            took = asyncio.run(_turns(make))
            lines.append(f"| {name} | {statistics.median(took):.3f} | {statistics.quantiles(took, n=20)[-1]:.3f} |")
        return "\n".join(lines)
    finally:
        server.kill()
