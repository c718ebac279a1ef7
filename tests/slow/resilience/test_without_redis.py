"""Without Redis, Postgres takes nothing while a team works: answers go on, and all is recorded when it does again."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest

from database.local import database
from database.postgres import Server as Postgres
from simulator.client import Simulator
from tests.developers import ask, hire
from tests.harness import ROOT, Account, Server
from tests.slow.resilience import postgres_server
from tests.slow.resilience.ledger import Ledger
from tests.slow.resilience.load import load
from tests.slow.resilience.replica import Replica
from tests.slow.starts.small_disk import fill, small_disk

MEGABYTES = 220  # LiteLLM's tables and the log of writes take 120


@pytest.fixture
def disk() -> Iterator[Path]:
    with small_disk(MEGABYTES) as place:
        yield place


@contextmanager
def full(data: Path) -> Iterator[None]:
    filler = fill(data.parent)
    yield
    filler.unlink()


@contextmanager
def read_only(data: Path) -> Iterator[None]:
    """As managed Postgres does it, shortly before its disk is full."""
    setting = "default_transaction_read_only"
    with psycopg.connect(Postgres(data).url(), autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET {setting} = on")
        connection.execute("SELECT pg_reload_conf()")
        yield
        connection.execute(f"ALTER SYSTEM RESET {setting}")
        connection.execute("SELECT pg_reload_conf()")


@contextmanager
def stopped(data: Path) -> Iterator[None]:
    postgres_server.stop(data)
    yield
    postgres_server.start(data)


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (full, "No space left on device"),
        (read_only, "in a read-only transaction"),
        (stopped, "Can't reach database server"),
    ],
)
def test_answers_go_on_and_nothing_is_lost(
    account: Account,
    simulator_server: Server,
    simulator: Simulator,
    logs: Path,
    disk: Path,
    trouble: Callable[[Path], AbstractContextManager[None]],
    told: str,
) -> None:
    data = disk / "postgres"
    with database(ROOT, environ={**os.environ, "DATABASE_URL": ""}, data=data) as variables:
        environ = {**account.for_gateway(simulator_server.url), **variables}
        environ |= {name: f"sk-{secrets.token_urlsafe(24)}" for name in ("LITELLM_MASTER_KEY", "LITELLM_SALT_KEY")}
        gateway = Replica(trouble.__name__, environ, logs)
        gateway.start()
        try:
            developers = [hire(gateway.server), hire(gateway.server)]
            newcomer = hire(gateway.server)  # has a key that this gateway has not seen in use
            with load([gateway.server], developers) as running:
                running.go_on()
                with trouble(data):
                    running.go_on(60)  # long enough for each of LiteLLM's jobs to write
                    if trouble is not stopped:
                        assert ask(gateway.server, newcomer).status_code == 200, "what is there can be read"
                    assert told in (logs / f"{gateway.name}-1.log").read_text()
                running.go_on()
            assert running.refusals() + running.broken() == []
            for developer in developers:
                answers = running.answers(developer)
                found = Ledger(data).wait_until_complete(developer, answers)
                assert found.rows == {answer.id for answer in answers}
                assert found.budget == found.daily == sum(answer.tokens for answer in answers)
        finally:
            gateway.stop()
