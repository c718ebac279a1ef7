"""A real Redis for the tests of the shared pacer."""

from collections.abc import Iterator

import pytest
import redis

from tests.slow.resilience.redis_server import RedisServer


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def database(redis_server: RedisServer) -> Iterator["redis.Redis"]:
    with redis.Redis(port=redis_server.port, password=redis_server.password) as client:
        client.flushall()
        yield client
