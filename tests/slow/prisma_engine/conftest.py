"""A real Postgres, migrated by migrate.py, and the real prisma-client-py on the engine of database/prisma-engine/."""

import importlib
import os
import subprocess
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import litellm_proxy_extras
import prisma
import psycopg
import pytest

from database.postgres import Server
from database.prisma_engine import prisma_environment
from tests.harness import ROOT, clean_environment

MIGRATOR = ROOT / "database" / "prisma-engine" / "migrate.py"
SHIPPED = Path(litellm_proxy_extras.__file__).parent
Migrate = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def variables() -> dict[str, str]:
    environment = clean_environment(prisma_environment(ROOT, clean_environment({"PRISMA_ENGINE": "fallback"})))
    if not hasattr(prisma, "Json"):  # was imported before its client was generated
        importlib.invalidate_caches()
        importlib.reload(prisma)
    return environment


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    # not among pytest's own: a second pytest closes their parent to the user that Postgres runs as
    with tempfile.TemporaryDirectory(prefix="gateway-tests-") as folder:
        server = Server(Path(folder) / "postgres")
        with server.running():
            yield server


def new_database(server: Server) -> str:
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return server.url(name)


@pytest.fixture
def empty(postgres: Server) -> str:
    """The address of a database of one's own."""
    return new_database(postgres)


def run_migrator(variables: dict[str, str], address: str, *words: str, folder: Path = SHIPPED, **more: str) -> Any:
    return subprocess.run(
        [MIGRATOR, *words],
        cwd=folder,
        env={**variables, "DATABASE_URL": address, **more},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def migrate(variables: dict[str, str], empty: str) -> Migrate:
    def run(*words: str, **more: Any) -> "subprocess.CompletedProcess[str]":
        done: subprocess.CompletedProcess[str] = run_migrator(variables, empty, *words, **more)
        return done

    return run


@pytest.fixture(scope="session")
def migrated(postgres: Server, variables: dict[str, str]) -> str:
    address = new_database(postgres)
    done = run_migrator(variables, address, "migrate", "deploy")
    assert done.returncode == 0, done.stderr
    return address


@pytest.fixture
async def client(migrated: str, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """LiteLLM's own database client, connected."""
    for name in ("PATH", "PRISMA_QUERY_ENGINE_BINARY"):
        monkeypatch.setenv(name, variables[name])
    connected = prisma.Prisma(datasource={"url": f"{migrated}&connection_limit=5&pool_timeout=3"})
    await connected.connect()
    yield connected
    await connected.disconnect()


def name() -> str:
    return f"test-{uuid.uuid4()}"


def engine_pid(prisma: Any) -> int:
    return int(prisma._engine.process.pid)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
