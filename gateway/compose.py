"""`backup`, `restore`, `upgrade`: the data of the Docker stack, and what runs in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import click

from gateway import spelling
from gateway.failures import GatewayError, InputError
from gateway.options import Command
from gateway.project import ROOT, on_host, require_host

DUMP = ("pg_dump", "--username=litellm", "--format=custom", "litellm")
LOAD = ("pg_restore", "--username=litellm", "--dbname=restoring", "--exit-on-error", "--single-transaction")
SQL = ("psql", "--username=litellm", "--dbname=postgres", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1")
FLUSH = 'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli FLUSHALL'


@click.command(cls=Command)
def backup() -> None:
    """Dump the Docker stack's database to backups/.

    Prints the name of the file, which is readable by you alone.
    """
    require_host("backup")
    print(_dump())


@click.command(cls=Command)
@click.argument("file", required=False, type=click.Path(path_type=Path), metavar="FILE")
def restore(file: Path | None) -> None:
    """Bring back a backup.

    The present data stay as the database before_restore, until the next restore.
    """
    require_host("restore")
    if not file or not file.is_file() or not os.access(file, os.R_OK):
        example = spelling.command("restore backups/litellm-....dump", "restore FILE=backups/litellm-....dump")
        raise InputError(f"Say which backup: {example}")
    _compose("up", "--detach", "--wait", "database", "redis")
    _sql("DROP DATABASE IF EXISTS restoring")
    _sql("CREATE DATABASE restoring")
    # Into a database of its own first: a damaged file changes nothing.
    with file.open("rb") as dump:
        loaded = _status("exec", "-T", "database", *LOAD, stdin=dump) == 0
    if not loaded:
        _sql("DROP DATABASE restoring")
        raise GatewayError(f"{file} cannot be restored; the present data are unchanged.")
    _compose("stop", "gateway")
    # Redis has the keys, limits and spend of the data that go.
    _compose("exec", "-T", "redis", "sh", "-c", FLUSH, stdout=subprocess.DEVNULL)
    _sql("DROP DATABASE IF EXISTS before_restore")
    _sql("ALTER DATABASE litellm RENAME TO before_restore; ALTER DATABASE restoring RENAME TO litellm")
    _compose("up", "--detach", "--wait")
    print(f"Restored {file}. The former data stay in the database before_restore until the next restore.")


@click.command(cls=Command)
def upgrade() -> int:
    """Go over to changed images in docker-compose.yml.

    Backs up, pulls, starts, and says how to go back.
    """
    require_host("upgrade")
    former = _output("ps", "--format", "    {{.Service}}: {{.Image}}").rstrip("\n")
    if not former:
        raise GatewayError("Nothing runs that could be backed up. Start it first: make up")
    file = _dump()
    print(f"Backup: {file}", flush=True)
    _compose("pull")
    status = _status("up", "--detach", "--wait")
    print("The new version did not become ready: make logs" if status else "Upgraded; the gateway is ready.")
    print(
        "To go back, put the former images into docker-compose.yml again, then (usage since the backup is lost):\n"
        f"    make restore FILE={file}\nThe former images:\n{former}",
        flush=True,
    )
    return status


def show_stack() -> None:
    """Prints the containers of the Docker stack, if there are any on this host."""
    if on_host() and shutil.which("docker"):
        command = [_docker(), "compose", "ps", "--all", "--quiet"]
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if found.stdout.strip():
            _compose("ps", "--all")


def _dump() -> Path:
    """Writes a backup; its name, from the project's folder on."""
    folder = ROOT / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / f"litellm-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.dump"
    part = file.with_suffix(".dump.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as dump:
            _compose("exec", "-T", "database", *DUMP, stdout=dump)
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
    return file.relative_to(ROOT)


def _sql(statement: str) -> None:
    _compose("exec", "-T", "database", *SQL, f"--command={statement}")


def _compose(*words: str, stdout: IO[bytes] | int | None = None) -> None:
    """Runs `docker compose`, which shows what it does. Raises Failure."""
    if _status(*words, stdout=stdout):
        raise GatewayError(f"`docker compose {words[0]}` failed; what it said stands above.")


def _status(*words: str, stdin: IO[bytes] | int = subprocess.DEVNULL, stdout: IO[bytes] | int | None = None) -> int:
    sys.stdout.flush()
    command = [_docker(), "compose", *words]
    return subprocess.run(command, cwd=ROOT, stdin=stdin, stdout=stdout, check=False).returncode


def _output(*words: str) -> str:
    done = subprocess.run([_docker(), "compose", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise GatewayError(f"`docker compose {words[0]}` failed; what it said stands above.")
    return done.stdout


def _docker() -> str:
    if not (found := shutil.which("docker")):
        raise GatewayError(
            "`docker` is missing: this is about the Docker stack, which needs Docker with its compose plugin."
        )
    return found
