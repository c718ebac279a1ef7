"""migrate.py against a real Postgres: LiteLLM's own migrations, Prisma's ledger and Prisma's errors."""

import hashlib
import os
from pathlib import Path

import psycopg
import pytest

from tests.harness import ROOT
from tests.slow.prisma_engine.conftest import SHIPPED, Migrate

MIGRATIONS = sorted(path.parent for path in SHIPPED.glob("migrations/*/migration.sql"))


def rows(address: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(address) as connection:
        return connection.execute(query.encode()).fetchall()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three small migrations, the second of which does not work."""
    for name, script in (
        ("1_first", "CREATE TABLE first (id INT); INSERT INTO first VALUES (1);"),
        ("2_broken", "CREATE TABLE second (id INT); SELECT * FROM nowhere;"),
        ("3_third", "DO $$ BEGIN CREATE TABLE third (kind name); END $$;"),
    ):
        (tmp_path / "migrations" / name).mkdir(parents=True)
        (tmp_path / "migrations" / name / "migration.sql").write_text(script)
    return tmp_path


def test_all_of_litellms_migrations_and_a_second_run(migrate: Migrate, empty: str) -> None:
    first = migrate("migrate", "deploy")
    assert first.returncode == 0, first.stderr
    assert first.stdout.count("Applied ") == len(MIGRATIONS) > 200
    ledger = rows(empty, "SELECT migration_name, checksum, applied_steps_count FROM _prisma_migrations ORDER BY 1")
    assert ledger == [
        (path.name, hashlib.sha256((path / "migration.sql").read_bytes()).hexdigest(), 1) for path in MIGRATIONS
    ]
    before = rows(empty, "SELECT * FROM _prisma_migrations ORDER BY 1")
    second = migrate("migrate", "deploy")
    assert second.returncode == 0
    assert second.stdout.splitlines()[1:] == ["No pending migrations to apply."]
    assert rows(empty, "SELECT * FROM _prisma_migrations ORDER BY 1") == before


def test_a_failure_is_recorded_and_stops_until_it_is_resolved(migrate: Migrate, empty: str, folder: Path) -> None:
    failed = migrate("migrate", "deploy", folder=folder)
    assert failed.returncode == 1
    assert failed.stderr.startswith("Error: P3018\n\nA migration failed to apply.")
    assert "Migration name: 2_broken" in failed.stderr
    assert 'relation "nowhere" does not exist' in failed.stderr
    assert rows(empty, "SELECT to_regclass('first'), to_regclass('second'), to_regclass('third')") == [
        ("first", None, None)
    ], "a migration is applied in full or not at all"
    [(logs,)] = rows(empty, "SELECT logs FROM _prisma_migrations WHERE migration_name = '2_broken'")
    assert "nowhere" in str(logs)

    stuck = migrate("migrate", "deploy", folder=folder)
    assert stuck.stderr.startswith("Error: P3009")
    assert "The `2_broken` migration started at" in stuck.stderr

    assert migrate("migrate", "resolve", "--rolled-back", "2_broken", folder=folder).returncode == 0
    (folder / "migrations" / "2_broken" / "migration.sql").write_text("CREATE TABLE second (id INT);")
    assert migrate("migrate", "deploy", folder=folder).returncode == 0
    assert rows(empty, "SELECT to_regclass('second') IS NOT NULL, to_regclass('third') IS NOT NULL") == [(True, True)]


def test_resolve_as_applied_skips_it(migrate: Migrate, empty: str, folder: Path) -> None:
    assert migrate("migrate", "deploy", folder=folder).returncode == 1
    assert migrate("migrate", "resolve", "--applied", "2_broken", folder=folder).returncode == 0
    done = migrate("migrate", "deploy", folder=folder)
    assert done.stdout.splitlines()[1:] == ["Applied 3_third", "All migrations have been successfully applied."]
    assert rows(empty, "SELECT to_regclass('second') IS NULL") == [(True,)]


def test_tables_of_somebody_else_are_left_alone(migrate: Migrate, empty: str) -> None:
    with psycopg.connect(empty) as connection:
        connection.execute("CREATE TABLE invoices (id INT)")
    refused = migrate("migrate", "deploy")
    assert refused.returncode == 1
    assert refused.stderr == "Error: P3005\n\nThe database schema is not empty.\n"


def test_a_schema_of_its_own(migrate: Migrate, empty: str, folder: Path) -> None:
    done = migrate("migrate", "deploy", folder=folder, DATABASE_URL=f"{empty}&schema=ours&connection_limit=3")
    assert "P3018" in done.stderr
    assert rows(empty, "SELECT count(*) FROM ours._prisma_migrations") == [(2,)]


def test_it_waits_for_prismas_lock_unless_litellm_holds_it(migrate: Migrate, empty: str, folder: Path) -> None:
    with psycopg.connect(empty) as other:
        other.execute("SELECT pg_advisory_lock(72707369)")
        assert "P3018" in migrate("migrate", "deploy", folder=folder, PRISMA_SCHEMA_DISABLE_ADVISORY_LOCK="1").stderr
        waited = migrate("migrate", "deploy", folder=folder)
        assert waited.stderr.startswith("Error: P1002")
        assert "advisory lock" in waited.stderr


def test_no_server(migrate: Migrate) -> None:
    done = migrate("migrate", "deploy", DATABASE_URL="postgresql://me@127.0.0.1:1/litellm?connect_timeout=2")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: P1001\n\nCan't reach database server at `127.0.0.1:1`")


def test_what_it_does_not_know(migrate: Migrate) -> None:
    assert migrate("--version").returncode == 0
    for words in (("db", "push"), ("migrate", "diff"), ("migrate", "resolve", "--undone", "x"), ()):
        refused = migrate(*words)
        assert refused.returncode == 1
        assert "knows `migrate deploy` and `migrate resolve`" in refused.stderr


def test_litellm_can_run_it() -> None:
    assert os.access(ROOT / "database" / "prisma-engine" / "migrate.py", os.X_OK)
