"""A database for LiteLLM on one machine: the one in DATABASE_URL, else an embedded Postgres in `.data/postgres`.

with database(root) as variables:
    subprocess.run(["litellm", ...], env={**os.environ, **variables})
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg

from database.postgres import PostgresError, Server
from database.prisma_engine import PrismaError, prisma_environment
from database.watching import kept_running
from gateway.failures import GatewayError
from gateway.progress import step

__all__ = ["DatabaseError", "data_folder", "database", "require_answer"]

DatabaseError = (PostgresError, PrismaError)


ANSWER_SECONDS = 10
LIBPQ = ("host", "hostaddr", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "options", "target_session_attrs")


def data_folder(root: Path) -> Path:
    return root / ".data" / "postgres"


@contextmanager
def database(
    root: Path,
    environ: Mapping[str, str] = os.environ,
    data: Path | None = None,
    *,
    tell: Callable[[str], None] | None = None,
) -> Iterator[dict[str, str]]:
    """The variables that LiteLLM needs, valid for as long as the block lasts; `data` is another folder for the data.

    With `tell`, an embedded Postgres that ends is started again, and `tell` is given a line.
    """
    variables = prisma_environment(root, environ)
    if address := environ.get("DATABASE_URL"):
        yield {**variables, "DATABASE_URL": address}
        return
    with ExitStack() as stack:
        with step("Starting Postgres"):
            server = Server(data or data_folder(root))
            address = stack.enter_context(server.running())
        if tell:
            stack.enter_context(kept_running(server, tell))
        yield {**variables, "DATABASE_URL": address}


def require_answer(address: str) -> None:
    """Raises Failure when nobody answers at DATABASE_URL: LiteLLM would try for minutes and say less."""
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("postgresql", "postgres") and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise GatewayError("DATABASE_URL is no address like postgresql://user:password@host:5432/database.")
    known = [(name, value) for name, value in parse_qsl(parts.query) if name in LIBPQ]  # the others are Prisma's
    try:
        psycopg.connect(urlunsplit(parts._replace(query=urlencode(known))), connect_timeout=ANSWER_SECONDS).close()
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else "no answer"
        raise GatewayError(f"The database of DATABASE_URL cannot be used: {reason}.") from None
    except psycopg.Error:
        return  # an address that only LiteLLM understands


def remove(root: Path) -> None:
    """Deletes the embedded database, and says so."""
    folder = data_folder(root)
    removed = Server(folder).remove()
    print(f"Removed {folder}: keys, teams and usage are gone." if removed else "There is no embedded database.")
