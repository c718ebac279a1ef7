"""A real Redis, with the settings of the Docker stack."""

import shutil
from collections.abc import Iterator

import pytest

from tests.slow.resilience.redis_server import RedisServer


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    if not shutil.which("redis-server"):
        pytest.skip("needs redis-server: apt-get install redis-server, or brew install redis")
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()
