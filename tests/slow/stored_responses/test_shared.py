"""The store of all processes, on a real Redis: as the one in memory, and nothing there that could be read."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import redis
from redis.asyncio import Redis

from custom_handlers.stored_responses.sealing import Seal
from custom_handlers.stored_responses.shared import RedisStore
from custom_handlers.stored_responses.store import UnreachableError
from tests.slow.resilience.redis_server import RedisServer
from tests.waiting import eventually

ADA, BOB = "a" * 64, "b" * 64
Steps = Callable[[RedisStore, RedisStore], Awaitable[None]]


@pytest.fixture
def database(redis_server: RedisServer) -> Iterator["redis.Redis"]:
    with redis.Redis(port=redis_server.port, password=redis_server.password) as client:
        client.flushall()
        yield client


def run(server: RedisServer, steps: Steps, seconds: int = 60, **bounds: int) -> None:
    """`steps` with the stores of two processes."""

    def store(client: Any) -> RedisStore:
        return RedisStore(seconds, lambda: client, Seal("secret"), **bounds)

    async def both() -> None:
        clients: list[Any] = [Redis(port=server.port, password=server.password) for _ in range(2)]
        one, other = (store(client) for client in clients)
        try:
            await steps(one, other)
        finally:
            for client in clients:
                await client.aclose()

    asyncio.run(both())


def names(database: "redis.Redis") -> list[str]:
    return sorted(name.decode().rpartition(":")[2] for name in database.scan_iter("stackspot-responses:*:*"))


def test_what_one_process_keeps_the_other_finds(database: "redis.Redis", redis_server: RedisServer) -> None:
    async def steps(one: RedisStore, other: RedisStore) -> None:
        large = b"text " * 200_000
        await one.put(ADA, {"a": b"1", "b": large})
        assert await other.get(ADA, ["b", "c", "a"]) == [large, None, b"1"]
        assert await other.get(BOB, ["a", "b"]) == [None, None]
        await other.delete(BOB, ["a"])
        await other.delete(ADA, ["b", "never there"])
        assert await one.get(ADA, ["a", "b"]) == [b"1", None]

    run(redis_server, steps)
    assert names(database) == ["a"]


def test_a_value_ends_so_long_after_its_last_use(database: "redis.Redis", redis_server: RedisServer) -> None:
    async def steps(one: RedisStore, _: RedisStore) -> None:
        await one.put(ADA, {"used": b"1", "unused": b"2"})
        for name in ("used", "unused"):
            database.expire(f"stackspot-responses:{{{ADA}}}:{name}", 5)
        await one.get(ADA, ["used"])

    run(redis_server, steps)
    lives = {name: int(database.ttl(f"stackspot-responses:{{{ADA}}}:{name}")) for name in ("used", "unused")}
    assert lives["used"] > 50
    assert lives["unused"] <= 5
    run(redis_server, lambda one, _: one.put(BOB, {"short": b"3"}), seconds=1)
    eventually(lambda: not database.exists(f"stackspot-responses:{{{BOB}}}:short"), "it has ended", seconds=10)
    eventually(lambda: not database.exists(f"stackspot-responses:{{{BOB}}}"), "so has its index", seconds=10)


def test_what_was_not_used_for_longest_goes_first(database: "redis.Redis", redis_server: RedisServer) -> None:
    async def steps(one: RedisStore, _: RedisStore) -> None:
        for name in ("a", "b", "c"):
            await one.put(ADA, {name: b"1"})
        await one.get(ADA, ["a"])
        await one.put(BOB, {"x": b"1"})
        await one.put(ADA, {"d": b"1"})
        assert await one.get(ADA, ["a", "b", "c", "d"]) == [b"1", None, b"1", b"1"]
        assert await one.get(BOB, ["x"]) == [b"1"]

    run(redis_server, steps, most_values=3)
    assert names(database) == ["a", "c", "d", "x"]


def test_its_size_is_bounded(database: "redis.Redis", redis_server: RedisServer) -> None:
    async def steps(one: RedisStore, _: RedisStore) -> None:
        await one.put(ADA, {"a": b"1"})
        await one.put(ADA, {"b": b"2"})
        await one.put(ADA, {"c": b"3"})

    run(redis_server, steps, most_bytes=110)  # two of them, sealed
    assert names(database) == ["b", "c"]


def test_redis_and_its_disk_have_no_word_of_it(database: "redis.Redis", redis_server: RedisServer) -> None:
    word = b"confidential"
    run(redis_server, lambda one, _: one.put(ADA, {"a": word, "b": word * 1000}))
    values = [database.get(name) for name in database.scan_iter("stackspot-responses:*:*")]
    assert len(values) == 2
    written = b"".join(path.read_bytes() for path in redis_server.folder.rglob("*") if path.is_file())
    assert b"stackspot-responses" in written, "the append-only file was not looked at"
    assert word not in b"".join([*map(bytes, values), written])  # type: ignore[arg-type]


def test_a_redis_that_is_away_is_said(redis_server: RedisServer) -> None:
    async def steps(one: RedisStore, _: RedisStore) -> None:
        redis_server.kill()
        with pytest.raises(UnreachableError):
            await one.get(ADA, ["a"])
        redis_server.start()
        await one.put(ADA, {"a": b"1"})
        assert await one.get(ADA, ["a"]) == [b"1"]

    run(redis_server, steps)
