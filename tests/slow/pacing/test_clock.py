"""The clock of Redis' machine is put right by an hour: the pace goes on."""

import pytest
import redis
import redis.asyncio

from custom_handlers.pacing import script
from custom_handlers.pacing.quota import NoTurnError, Quota
from custom_handlers.pacing.shared import RedisPacer
from tests.slow.resilience.redis_server import RedisServer

HOUR, JUMP = 3600, "jump"
WINDOW = 3.0
QUOTA = Quota(per_minute=20, burst=20, max_wait=10.0, max_queue=100)


class Clock:
    """What the script takes for Redis' clock: libfaketime and Redis' allocator do not get along."""

    def __init__(self, database: "redis.Redis") -> None:
        self._database = database

    def jump(self, seconds: int) -> None:
        self._database.set(JUMP, seconds)


@pytest.fixture
def clock(database: "redis.Redis", monkeypatch: pytest.MonkeyPatch) -> Clock:
    real, jumping = "local now = redis_time()", f"local now = redis_time() + tonumber(call('GET', '{JUMP}') or '0')"
    assert script.SCRIPT.count(real) == 1
    monkeypatch.setattr(script, "SCRIPT", script.SCRIPT.replace(real, jumping))
    return Clock(database)


@pytest.fixture
def pacer(clock: Clock, redis_server: RedisServer) -> RedisPacer:
    connect = lambda: redis.asyncio.Redis(port=redis_server.port, password=redis_server.password)  # noqa: E731
    return RedisPacer(QUOTA, connect, "account", WINDOW)


@pytest.mark.parametrize("seconds", [-HOUR, HOUR])
async def test_turns_go_on_after_the_clock_has_jumped(pacer: RedisPacer, clock: Clock, seconds: int) -> None:
    before = [await pacer.acquire("a") for _ in range(5)]
    clock.jump(seconds)
    after = [await pacer.acquire("a") for _ in range(25)]
    assert abs(after[-1].taken - before[-1].taken - seconds) < HOUR / 2, "the clock has jumped"
    assert (await pacer.status()).shared, "by the pace that all share"


async def test_a_line_moves_on_after_the_clock_was_put_back(pacer: RedisPacer, clock: Clock) -> None:
    """The quota still holds: a window's worth at once, and then no more than that."""
    for _ in range(20):
        await pacer.acquire("a")
    clock.jump(-HOUR)
    refused = [error for _ in range(60) if (error := await refusal(pacer))]
    assert refused
    assert max(error.retry_after for error in refused) < 2 * WINDOW


async def refusal(pacer: RedisPacer) -> NoTurnError | None:
    try:
        await pacer.acquire("a", wait=0.01)
    except NoTurnError as error:
        return error
    return None
