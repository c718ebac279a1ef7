"""Nothing with a developer's name is left in the database after `make forget`; what others have stays."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql

from tests.developers import hire, manage
from tests.gateway.administration.conftest import Developer, Make
from tests.harness import Server
from tests.waiting import eventually


@pytest.fixture
def database(database_variables: dict[str, str]) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_variables["DATABASE_URL"].partition("?")[0], autocommit=True) as connection:
        yield connection


def places(database: psycopg.Connection, name: str) -> list[str]:
    """Every column that holds the name, anywhere in any of its texts."""
    columns = database.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    ).fetchall()
    assert len(columns) > 500
    looked = sql.SQL("SELECT count(*) FROM {} WHERE {}::text LIKE %s")
    found = []
    for table, column in columns:
        query = looked.format(sql.Identifier(table), sql.Identifier(column))
        if (database.execute(query, [f"%{name}%"]).fetchone() or [0])[0]:
            found.append(f"{table}.{column}")
    return found


def usage(database: psycopg.Connection, team: str) -> object:
    query = 'SELECT sum(successful_requests), sum(spend) FROM "LiteLLM_DailyTeamSpend" WHERE team_id = %s'
    return database.execute(query, [team]).fetchone()


def test_nothing_is_left(
    developer: Callable[..., Developer], make: Make, team_gateway: Server, database: psycopg.Connection
) -> None:
    assert make("team", "NAME=forgetting").returncode == 0
    gone = developer("gone.by", "TEAM=forgetting", "BUDGET=5")
    stays = developer("stays", "TEAM=forgetting")
    assert gone.ask(user="gone.by").status_code == 200
    assert stays.ask().status_code == 200
    gone = developer("gone.by", "ROTATE=1")  # leaves a deleted key
    assert gone.ask("Hi", "stackspot-code", stream=True).status_code == 200
    by_hand = hire(team_gateway, "by-hand")
    manage(team_gateway, "/key/generate", user_id="gone.by", key_alias="gone.by-laptop").raise_for_status()
    for table in ("DailyUserSpend", "SpendLogs", "DeletedVerificationToken"):
        eventually(lambda t=table: any(t in place for place in places(database, "gone.by")), table)  # type: ignore[misc]
    eventually(lambda: (usage(database, "forgetting") or [0])[0] == 3, "all that was used is written")  # type: ignore[index]
    before = usage(database, "forgetting")

    done = make("forget", "NAME=gone.by")
    assert done.returncode == 0, done.stderr
    assert places(database, "gone.by") == []
    assert gone.ask().status_code == 401
    assert usage(database, "forgetting") == before
    assert stays.ask().status_code == 200
    assert "stays" in make("keys").stdout
    assert places(database, by_hand.name) != []

    assert manage(team_gateway, "/stackspot/forget", name="gone.by").json() == {"deleted": 0}


def test_it_is_for_administrators(developer: Callable[..., Developer]) -> None:
    other = developer("nosy")
    assert other.post("/stackspot/forget", {"name": "stays"}).status_code == 403
