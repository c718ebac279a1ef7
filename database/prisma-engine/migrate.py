#!/usr/bin/env python3
"""`prisma migrate deploy` and `prisma migrate resolve` where Prisma's schema engine cannot be downloaded.

Applies the migrations that litellm-proxy-extras ships, in order, and records them in _prisma_migrations as Prisma
does (same table, lock and SHA-256), so that the real CLI can take over later. LiteLLM runs it by itself, in the
folder that holds `migrations/`, with PRISMA_OFFLINE_MODE=true and PRISMA_CLI_PATH set to this file.
"""

from __future__ import annotations

import hashlib
import os
import sys
import uuid
from pathlib import Path
from typing import Any, LiteralString, NoReturn
from urllib.parse import parse_qsl, urlencode, urlsplit

import psycopg
from psycopg import sql
from psycopg.pq import ExecStatus

Connection = psycopg.Connection[tuple[Any, ...]]

PRISMA_LOCK = 72707369
LOCK_TIMEOUT = "10s"
LIBPQ_PARAMETERS = {
    "sslmode",
    "sslkey",
    "sslrootcert",
    "connect_timeout",
    "application_name",
    "options",
    "host",
}
SUCCEEDED = {ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK, ExecStatus.EMPTY_QUERY}
LEDGER = """
CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
)"""


def fail(code: str, message: str) -> NoReturn:
    """Ends as Prisma's CLI does: LiteLLM looks for the code in what was printed."""
    sys.exit(f"Error: {code}\n\n{message}")


def connect(address: str) -> Connection:
    """Opens a Prisma address, whose parameters differ from libpq's: its sslcert is the certificate authority."""
    url = urlsplit(address)
    given = dict(parse_qsl(url.query))
    kept = {name: value for name, value in given.items() if name in LIBPQ_PARAMETERS}
    if given.get("sslaccept") == "strict":
        kept |= {"sslmode": "verify-full", "sslrootcert": given.get("sslcert", "system")}
    try:
        connection = psycopg.connect(url._replace(query=urlencode(kept)).geturl(), autocommit=True)
    except psycopg.OperationalError as error:
        fail("P1001", f"Can't reach database server at `{url.hostname}:{url.port or 5432}`\n\n{error}")
    if schema := given.get("schema"):
        name = sql.Identifier(schema)
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
        connection.execute(sql.SQL("SET search_path TO {}").format(name))
    return connection


def scalar(connection: Connection, query: LiteralString) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def take_lock(connection: Connection) -> None:
    if os.environ.get("PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK"):  # LiteLLM sets it, as it holds the lock itself
        return
    connection.execute("SELECT set_config('lock_timeout', %s, false)", (LOCK_TIMEOUT,))
    try:
        connection.execute("SELECT pg_advisory_lock(%s)", (PRISMA_LOCK,))
    except psycopg.errors.LockNotAvailable:
        fail(
            "P1002",
            "Timed out trying to acquire a postgres advisory lock"
            f" (SELECT pg_advisory_lock({PRISMA_LOCK})). Elapsed: {LOCK_TIMEOUT}.",
        )
    connection.execute("SET lock_timeout = 0")


def ensure_ledger(connection: Connection) -> None:
    if scalar(connection, "SELECT to_regclass('_prisma_migrations')"):
        return
    if scalar(connection, "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"):
        fail("P3005", "The database schema is not empty.")
    connection.execute(LEDGER)


def refuse_after_failure(connection: Connection) -> None:
    failed = connection.execute(
        "SELECT migration_name, started_at AT TIME ZONE 'UTC' FROM _prisma_migrations"
        " WHERE finished_at IS NULL AND rolled_back_at IS NULL"
    ).fetchone()
    if failed:
        fail(
            "P3009",
            "migrate found failed migrations in the target database\n"
            f"The `{failed[0]}` migration started at {failed[1]} UTC failed",
        )


def applied(connection: Connection) -> set[str]:
    rows = connection.execute(
        "SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL"
    )
    return {row[0] for row in rows}


def checksum(script: bytes) -> str:
    return hashlib.sha256(script).hexdigest()


def run_script(connection: Connection, script: bytes) -> None:
    """Uses libpq's simple protocol, as Prisma does: several statements, one implicit transaction."""
    result = connection.pgconn.exec_(script)
    if result.status not in SUCCEEDED:
        raise psycopg.DatabaseError(result.error_message.decode())


def apply(connection: Connection, migration: Path) -> None:
    script = (migration / "migration.sql").read_bytes()
    identifier = str(uuid.uuid4())
    connection.execute(
        "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES (%s, %s, %s)",
        (identifier, checksum(script), migration.name),
    )
    try:
        run_script(connection, script)
    except psycopg.Error as error:
        connection.execute("UPDATE _prisma_migrations SET logs = %s WHERE id = %s", (str(error), identifier))
        fail(
            "P3018",
            "A migration failed to apply. New migrations cannot be applied before the error is recovered from.\n\n"
            f"Migration name: {migration.name}\n\nDatabase error:\n{error}",
        )
    connection.execute(
        "UPDATE _prisma_migrations SET finished_at = now(), applied_steps_count = 1 WHERE id = %s", (identifier,)
    )
    print(f"Applied {migration.name}")


def deploy(connection: Connection, folder: Path) -> None:
    take_lock(connection)
    ensure_ledger(connection)
    refuse_after_failure(connection)
    done = applied(connection)
    migrations = sorted(file.parent for file in folder.glob("*/migration.sql"))
    pending = [migration for migration in migrations if migration.name not in done]
    print(f"{len(migrations)} migrations found in {folder}")
    for migration in pending:
        apply(connection, migration)
    print("All migrations have been successfully applied." if pending else "No pending migrations to apply.")


def resolve(connection: Connection, how: str, name: str, folder: Path) -> None:
    """Takes the mark of failure off a migration, and with --applied records it as done without running it."""
    connection.execute(
        "UPDATE _prisma_migrations SET rolled_back_at = now()"
        " WHERE migration_name = %s AND finished_at IS NULL AND rolled_back_at IS NULL",
        (name,),
    )
    if how == "--applied":
        script = (folder / name / "migration.sql").read_bytes()
        connection.execute(
            "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES (%s, %s, %s, now())",
            (str(uuid.uuid4()), checksum(script), name),
        )


def main(words: list[str]) -> None:
    folder = Path.cwd() / "migrations"
    match words:
        case ["--version"]:
            print("prisma-engine/migrate.py (migrate deploy and migrate resolve only)")
        case ["migrate", "deploy"]:
            with connect(os.environ["DATABASE_URL"]) as connection:
                deploy(connection, folder)
        case ["migrate", "resolve", ("--applied" | "--rolled-back") as how, name]:
            with connect(os.environ["DATABASE_URL"]) as connection:
                resolve(connection, how, name, folder)
        case _:
            sys.exit(
                f"Error: {Path(__file__).name} knows `migrate deploy` and `migrate resolve`, not `{' '.join(words)}`"
            )


if __name__ == "__main__":
    main(sys.argv[1:])
