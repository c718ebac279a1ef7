"""The disk of the embedded Postgres is full: it says so, loses nothing, and goes on by itself once there is room."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from database.postgres import Server
from database.watching import kept_running
from tests.slow.starts.small_disk import fill, small_disk
from tests.waiting import eventually

MEGABYTES = 160  # a new database takes some 60


@pytest.fixture
def disk() -> Iterator[Path]:
    with small_disk(MEGABYTES) as place:
        yield place


def write(url: str) -> bool:
    """Whether what was written is there to stay."""
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            connection.execute("INSERT INTO spend SELECT repeat('x', 2000) FROM generate_series(1, 3000)")
    except psycopg.Error:
        return False
    return True


def test_a_full_disk_loses_nothing_and_is_got_over(disk: Path) -> None:
    server, told = Server(disk / "postgres"), list[str]()
    with server.running() as url, kept_running(server, told.append):
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE spend (what text)")
            connection.execute("INSERT INTO spend VALUES ('kept')")
        filler = fill(disk)
        assert not all(write(url) for _ in range(20)), "a full disk takes no more"
        filler.unlink()
        eventually(lambda: write(url), "Postgres takes what is written again", 90)
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM spend WHERE what = 'kept'").fetchone() == (1,)
