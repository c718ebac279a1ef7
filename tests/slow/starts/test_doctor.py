"""Doctor with a real Redis and a real Postgres."""

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from database.postgres import Server
from gateway.doctor import stores
from gateway.doctor.results import Outcome
from tests.slow.resilience.redis_server import RedisServer
from tests.unit.gateway.doctor.conftest import listening


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


def test_a_redis_that_takes_the_password(redis_server: RedisServer) -> None:
    [found] = stores.redis(redis_server.variables())
    assert (found.outcome, found.message) == (Outcome.OK, "takes the login and answers")


@pytest.mark.parametrize("password", ["", "not-this-one"])
def test_a_redis_that_does_not(redis_server: RedisServer, password: str) -> None:
    [found] = stores.redis({**redis_server.variables(), "REDIS_PASSWORD": password})
    assert (found.outcome, found.message) == (Outcome.FAILURE, "refuses the login")
    assert "REDIS_PASSWORD" in found.advice


def test_postgres(tmp_path: Path) -> None:
    with Server(tmp_path / "data").running() as url:
        [found] = stores.postgres({"DATABASE_URL": url})
        assert (found.outcome, found.message) == (Outcome.OK, "takes the login of DATABASE_URL"), found
        [stranger] = stores.postgres({"DATABASE_URL": url.replace("litellm@", "nobody:hunter2@")})
    assert stranger.outcome is Outcome.FAILURE
    assert "hunter2" not in str(stranger)
    [gone] = stores.postgres({"DATABASE_URL": url})
    assert gone.outcome is Outcome.FAILURE


def test_a_postgres_that_is_only_greeted(tmp_path: Path) -> None:
    """A relay stands between the port that doctor asks and the server's socket: the real answer, and no login."""
    with Server(tmp_path / "data").running() as url:
        place = str(Path(unquote(url.rpartition("host=")[2]), ".s.PGSQL.5432"))

        def relay(connection: socket.socket) -> None:
            with socket.socket(socket.AF_UNIX) as server:
                server.connect(place)
                server.sendall(connection.recv(4096))
                connection.sendall(server.recv(4096))

        with listening(relay) as port:
            [found] = stores.postgres({"DATABASE_HOST": f"127.0.0.1:{port}"})
    assert (found.outcome, "the login was not tried" in found.message) == (Outcome.OK, True)
