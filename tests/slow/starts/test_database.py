"""The embedded Postgres: as root and not, again and again, after a crash, and for several at once."""

import contextlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from database.local import database
from database.postgres import PostgresError, Server
from database.watching import kept_running
from tests.harness import ROOT, clean_environment
from tests.waiting import eventually

HOLD = """
import sys
from pathlib import Path
from database.postgres import Server

with Server(Path(sys.argv[1])).running() as url:
    print(url, flush=True)
    sys.stdin.read()
"""
PYTHONPATH = {"PYTHONPATH": f"{ROOT}:{sysconfig.get_path('purelib')}"}


class Holder:
    """Another process that uses the database until it is told to stop."""

    def __init__(self, data: Path, python: str = sys.executable, **options: Any) -> None:
        self.process: subprocess.Popen[str] = subprocess.Popen(
            [python, "-c", HOLD, data],
            cwd=ROOT,
            env=clean_environment(PYTHONPATH),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **options,
        )

    def url(self) -> str:
        assert self.process.stdout is not None
        return next(line.strip() for line in self.process.stdout if line.startswith("postgresql://"))

    def stop(self) -> None:
        self.process.communicate(timeout=60)
        assert self.process.returncode == 0


@pytest.fixture
def data() -> Iterator[Path]:
    """Not among pytest's own: a second pytest closes their parent to the user that Postgres runs as."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-tests-"))
    yield folder / "place" / "postgres"
    for server in servers(folder / "place" / "postgres"):
        server.kill()
    shutil.rmtree(folder)


def servers(data: Path) -> list[psutil.Process]:
    """The postmasters on a folder: of its processes, those that no other of them started."""
    parents = {}
    for process in Server(data).processes():
        with contextlib.suppress(psutil.NoSuchProcess):  # a child that has just ended
            parents[process] = process.ppid()
    pids = {process.pid for process in parents}
    return [process for process, parent in parents.items() if parent not in pids]


def run(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def test_data_stay_and_are_private(data: Path) -> None:
    with Server(data).running() as url:
        run(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert run(url, "SHOW listen_addresses") == [("",)]
        [server] = servers(data)
        if os.geteuid() == 0:
            assert server.uids().real != 0
    assert servers(data) == []
    with Server(data).running() as url:
        assert run(url, "SELECT answer FROM kept") == [(42,)]


def test_the_address_suits_prisma_and_libpq(data: Path) -> None:
    with Server(data).running() as url:
        address, parameter = url.split("?host=")
        assert run(address, "SELECT current_database()") == [("litellm",)], "LiteLLM's migrations drop the parameter"
        assert f"@{parameter}:" in address


def test_a_path_too_long_for_a_socket(data: Path) -> None:
    data = data.with_name("long" * 30) / "postgres"
    with Server(data).running() as url:
        assert run(url, "SELECT 1") == [(1,)]
        [socket] = run(url, "SHOW unix_socket_directories")
        folder = Path(str(socket[0]).strip('"'))
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not folder.exists()


def test_a_variable_of_postgres_in_the_environment(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("PGPORT", "1"), ("PGDATA", "/nowhere"), ("PGHOST", "db.example.com")):
        monkeypatch.setenv(name, value)
    with Server(data).running() as url:
        assert run(url, "SELECT 1") == [(1,)]


def test_two_starts_at_once_share_one_server(data: Path) -> None:
    first, second = Holder(data), Holder(data)
    assert first.url() == second.url()
    [server] = servers(data)
    first.stop()
    assert server.is_running(), "the second one still uses it"
    second.stop()
    assert servers(data) == []


def test_killed_users_leave_a_server_that_the_next_one_takes_over(data: Path) -> None:
    holder = Holder(data)
    url = holder.url()
    run(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    holder.process.kill()
    holder.process.wait()
    [server] = servers(data)
    with Server(data).running() as again:
        assert run(again, "SELECT answer FROM kept") == [(42,)]
        assert servers(data) == [server]
    assert servers(data) == [], "and who comes last stops it"


@pytest.mark.parametrize("pid", ["dead", "stranger"])
def test_a_killed_server_comes_back(data: Path, pid: str) -> None:
    """A stale pid file names nobody, or by now somebody else: here, this very test."""
    with Server(data).running() as url:
        run(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        [server] = servers(data)
        server.kill()
        server.wait()
        if pid == "stranger":
            for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
                lines = (data / name).read_text().splitlines(keepends=True)
                (data / name).write_text("".join([f"{os.getpid()}\n", *lines[1:]]))
        with Server(data).running() as again:
            assert run(again, "SELECT answer FROM kept") == [(42,)]
    assert servers(data) == []


@pytest.mark.parametrize("place", ["place", "long" * 30], ids=["short path", "path too long for a socket"])
def test_a_server_that_is_killed_while_it_is_used_comes_back_by_itself(data: Path, place: str) -> None:
    """At the same address, which those who use it know."""
    data, told = data.parent.with_name(place) / "postgres", list[str]()
    server = Server(data)
    with server.running() as url, kept_running(server, told.append):
        run(url, "CREATE TABLE kept AS SELECT 42 AS answer")
        for times in (1, 2):
            [running] = servers(data)
            running.kill()
            running.wait()
            eventually(lambda times=times: len(told) == times, "Postgres runs again")  # type: ignore[misc]
            assert run(url, "SELECT answer FROM kept") == [(42,)]
    assert told == ["Postgres had ended; it runs again."] * 2
    assert servers(data) == []


def test_a_half_made_folder_is_not_taken_for_a_database(data: Path) -> None:
    data.parent.mkdir(parents=True)
    half = data.with_name("postgres.new-killed")
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with Server(data).running() as url:
        assert run(url, "SELECT 1") == [(1,)]
    assert not half.exists()


def test_it_is_removed_only_when_nobody_uses_it(data: Path) -> None:
    server = Server(data)
    assert not server.remove()
    with server.running(), pytest.raises(PostgresError, match="is in use: stop `make run`"):
        Server(data).remove()
    assert data.exists()
    holder = Holder(data)
    url = holder.url()
    holder.process.kill()
    holder.process.wait()
    with psycopg.connect(url), pytest.raises(PostgresError, match="is in use"):
        Server(data).remove()
    assert Server(data).remove(), "a server that nobody uses is stopped"
    assert not data.exists()
    assert servers(data) == []


def python_for(become: dict[str, Any]) -> str:
    """One that the other user may run: root's own may lie in root's home."""
    for python in (sys.executable, "/usr/bin/python3"):
        try:
            subprocess.run([python, "-c", "import psycopg"], env=PYTHONPATH, check=True, capture_output=True, **become)
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    pytest.skip("no Python that another user may run")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_without_root(data: Path) -> None:
    somebody = pwd.getpwnam("nobody")
    become: dict[str, Any] = {"user": somebody.pw_uid, "group": somebody.pw_gid, "extra_groups": []}
    data.parent.mkdir(parents=True)
    data.parent.parent.chmod(0o755)
    os.chown(data.parent, somebody.pw_uid, somebody.pw_gid)
    holder = Holder(data, python_for(become), **become)
    url = holder.url()
    assert run(url, "SELECT 1") == [(1,)]
    [server] = servers(data)
    assert server.uids().real == somebody.pw_uid
    assert data.stat().st_uid == somebody.pw_uid
    holder.stop()
    with Server(data).running():  # as root, on data that are somebody else's
        [server] = servers(data)
        assert server.uids().real == somebody.pw_uid


def test_an_address_of_ones_own_is_taken(data: Path) -> None:
    own = "postgresql://me:secret@db.example.com/litellm"
    with database(ROOT, clean_environment({"DATABASE_URL": own}), data=data) as variables:
        assert variables["DATABASE_URL"] == own
    assert not data.exists()


def test_clean_data_refuses_while_it_is_used_and_says_what_it_did(data: Path) -> None:
    copy = data.parent / "project"
    copy.mkdir(parents=True)
    shutil.copytree(ROOT / "gateway", copy / "gateway", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("database", "custom_handlers", "docker-compose.yml"):
        (copy / name).symlink_to(ROOT / name)
    command = [sys.executable, "-m", "gateway", "data", "remove"]
    environ = clean_environment({})

    def clean() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, cwd=copy, env=environ, capture_output=True, text=True, check=False)

    assert clean().stdout == "There is no embedded database.\n"
    with Server(copy / ".data" / "postgres").running():
        refused = clean()
        assert refused.returncode == 1
        assert "is in use: stop `make run` or `make demo` first." in refused.stderr
    assert "keys, teams and usage are gone" in clean().stdout
    assert not (copy / ".data" / "postgres").exists()


def test_ctrl_c_of_the_terminal_does_not_reach_the_server(data: Path) -> None:
    holder = Holder(data, start_new_session=True)
    url = holder.url()
    os.killpg(holder.process.pid, signal.SIGINT)
    holder.process.wait(60)
    time.sleep(0.2)
    assert servers(data) == [], "stopped by whoever used it, in order"
    log = (data / "server.log").read_text()
    assert "received fast shutdown request" in log
    assert log.rstrip().endswith("database system is shut down")
    assert url
