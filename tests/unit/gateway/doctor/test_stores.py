"""Doctor's look at Postgres and Redis: with a real Redis' words, and where something else answers."""

import socket
from collections.abc import Callable
from urllib.parse import quote

import pytest

from gateway.doctor import stores
from gateway.doctor.results import Outcome
from gateway.processes import free_port
from tests.unit.gateway.doctor.conftest import listening, saying, silent

PASSWORD = "a word with äccents"


def redis(replies: dict[bytes, bytes]) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        while asked := connection.recv(4096):
            connection.sendall(next(reply for word, reply in replies.items() if word in asked))

    return answer


@pytest.mark.parametrize(
    ("replies", "environ", "outcome", "message", "variable"),
    [
        ({b"PING": b"+PONG\r\n"}, {}, Outcome.OK, "answers", ""),
        ({b"AUTH": b"+OK\r\n", b"PING": b"+PONG\r\n"}, {"REDIS_PASSWORD": PASSWORD}, Outcome.OK, "takes the login", ""),
        ({b"PING": b"-NOAUTH wanted\r\n"}, {}, Outcome.FAILURE, "refuses the login", "REDIS_PASSWORD"),
        ({b"AUTH": b"-WRONGPASS\r\n"}, {"REDIS_PASSWORD": "x"}, Outcome.FAILURE, "refuses the login", "REDIS_PASSWORD"),
        ({b"PING": b"-LOADING\r\n"}, {}, Outcome.NOTE, "still loads its data", ""),
        ({b"PING": b"HTTP/1.1 400\r\n"}, {}, Outcome.FAILURE, "what answers there is no Redis", "REDIS_HOST"),
    ],
)
def test_redis(
    replies: dict[bytes, bytes], environ: dict[str, str], outcome: Outcome, message: str, variable: str
) -> None:
    with listening(redis(replies)) as port:
        [found] = stores.redis({"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(port), **environ})
    assert (found.outcome, found.message.startswith(message)) == (outcome, True)
    assert variable in found.advice


def test_a_store_that_is_away() -> None:
    port = str(free_port())
    [redis] = stores.redis({"REDIS_HOST": "127.0.0.1", "REDIS_PORT": port})
    assert (redis.outcome, redis.message) == (Outcome.FAILURE, "cannot be reached (connection refused)")
    [unknown] = stores.redis({"REDIS_HOST": "redis.invalid"})
    assert unknown.message == "cannot be reached (the host's name is unknown)"
    [postgres] = stores.postgres({"DATABASE_HOST": f"127.0.0.1:{port}"})
    assert (postgres.outcome, postgres.message) == (Outcome.FAILURE, "cannot be reached (connection refused)")
    assert "DATABASE_HOST" in postgres.advice
    [url] = stores.postgres({"DATABASE_URL": f"postgresql://me:{quote('hunter2')}@127.0.0.1:{port}/db"})
    assert url.outcome is Outcome.FAILURE
    assert "DATABASE_URL" in url.advice
    assert "hunter2" not in f"{url}"


def test_a_store_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "SECONDS", 0.3)
    with listening(silent) as port:
        [redis] = stores.redis({"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(port)})
        [postgres] = stores.postgres({"DATABASE_HOST": f"127.0.0.1:{port}"})
    assert redis.message == postgres.message == "cannot be reached (no answer in time)"


def test_postgres_without_its_package() -> None:
    with listening(saying(b"N")) as port:
        [found] = stores.postgres({"DATABASE_HOST": f"127.0.0.1:{port}"})
    assert (found.outcome, "the login was not tried" in found.message) == (Outcome.OK, True)
    with listening(saying(b"HTTP/1.1 400")) as port:
        [found] = stores.postgres({"DATABASE_HOST": f"127.0.0.1:{port}"})
    assert (found.outcome, found.message) == (Outcome.FAILURE, "what answers there is no Postgres")


def test_what_is_not_configured_is_no_failure() -> None:
    assert [found.outcome for found in (*stores.postgres({}), *stores.redis({}))] == [Outcome.NOTE, Outcome.NOTE]
