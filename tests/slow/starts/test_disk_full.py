"""The disk of the embedded Postgres is full: it says so, loses nothing, and goes on by itself once there is room."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from database.postgres import Server
from database.watching import kept_running
from tests.waiting import eventually

MEGABYTES = 160  # a new database takes some 60


@pytest.fixture
def small_disk() -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    place = Path(tempfile.mkdtemp(prefix="gateway-tests-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=755", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)
    place.rmdir()


def fill(disk: Path) -> Path:
    """A file that leaves nothing."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        while True:
            try:
                file.write(b"x" * 65536)
                file.flush()
            except OSError:
                return filler


def write(url: str) -> bool:
    """Whether what was written is there to stay."""
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            connection.execute("INSERT INTO spend SELECT repeat('x', 2000) FROM generate_series(1, 3000)")
    except psycopg.Error:
        return False
    return True


def test_a_full_disk_loses_nothing_and_is_got_over(small_disk: Path) -> None:
    server, told = Server(small_disk / "postgres"), list[str]()
    with server.running() as url, kept_running(server, told.append):
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE spend (what text)")
            connection.execute("INSERT INTO spend VALUES ('kept')")
        filler = fill(small_disk)
        assert not all(write(url) for _ in range(20)), "a full disk takes no more"
        filler.unlink()
        eventually(lambda: write(url), "Postgres takes what is written again", 90)
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM spend WHERE what = 'kept'").fetchone() == (1,)
