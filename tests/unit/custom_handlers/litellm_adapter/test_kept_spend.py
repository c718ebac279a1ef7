"""What LiteLLM keeps of what the database refuses: with LiteLLM's own writer and queue, and Prisma's own errors."""

import asyncio
from typing import Any

import httpx
import pytest

from custom_handlers.litellm_adapter import kept_spend, starting
from tests.lazily import lazily

faults = lazily("litellm.proxy.db.exception_handler")
WRITING, COMMIT = "litellm.proxy.db.db_spend_update_writer", "_commit_spend_updates_to_db"
writing = lazily(WRITING)


@pytest.fixture(autouse=True)
def keeping(monkeypatch: pytest.MonkeyPatch) -> None:
    starting.spare_types()
    for owner, name in (
        (faults.PrismaDBExceptionHandler, "is_database_capacity_error"),
        (writing.DBSpendUpdateWriter, COMMIT),
    ):
        monkeypatch.setattr(owner, name, owner.__dict__[name])  # so that it is LiteLLM's own again afterwards
    kept_spend.keep()
    kept_spend.keep()


def refusal(sqlstate: str, *, batch: bool = True) -> Any:
    """As Prisma's client tells of one: of a batch within the message, else with the code beside it."""
    from prisma.errors import DataError

    if batch:
        told = f'ConnectorError(... kind: QueryError(PostgresError {{ code: "{sqlstate}", message: "..." }}))'
        return DataError({"user_facing_error": {"message": told, "meta": {}}})
    return DataError({"user_facing_error": {"message": "Raw query failed.", "meta": {"code": sqlstate}}})


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("sqlstate", ["53000", "53100", "53200", "53300", "53400", "25006"])
def test_a_row_that_the_database_has_no_room_for_is_kept(sqlstate: str, *, batch: bool) -> None:
    error = refusal(sqlstate, batch=batch)
    assert faults.PrismaDBExceptionHandler.is_database_service_unavailable_error(error), "it is not dropped"
    assert faults.db_write_never_sent(error), "it may be written again"
    assert not faults.PrismaDBExceptionHandler.is_database_transport_error(error), "the connection is well"


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("sqlstate", ["22021", "22P05", "23505"])
def test_what_is_wrong_with_a_row_is_still_the_rows(sqlstate: str, *, batch: bool) -> None:
    error = refusal(sqlstate, batch=batch)
    assert not faults.PrismaDBExceptionHandler.is_database_service_unavailable_error(error)
    assert not faults.db_write_never_sent(error)


class Table:
    """In place of LiteLLM's own writing; tests/slow/resilience/test_without_redis.py has that and a database."""

    def __init__(self) -> None:
        self.refused: dict[str, Exception] = {}
        self.written: dict[str, dict[str, float]] = {}

    async def commit(self, writer: Any, *, db_spend_update_transactions: Any, on_table_committed: Any = None) -> None:
        await asyncio.sleep(0)
        for table in ("user_list_transactions", "key_list_transactions"):
            if table in self.refused:
                raise self.refused[table]
            for each, cost in (db_spend_update_transactions.get(table) or {}).items():
                of_table = self.written.setdefault(table, {})
                of_table[each] = of_table.get(each, 0) + cost
            on_table_committed(table)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    table = Table()

    async def commit(writer: Any, **named: Any) -> None:
        await table.commit(writer, **named)

    monkeypatch.setattr(writing.DBSpendUpdateWriter, COMMIT, commit)
    kept_spend.keep()
    return table


FIRST = {"user_list_transactions": {"ana": 3.0}, "key_list_transactions": {"a": 1.5, "b": 2.0}}
SECOND = {"user_list_transactions": {"rui": 1.0}, "key_list_transactions": {"b": 0.5}, "team_list_transactions": None}
BOTH = {"user_list_transactions": {"ana": 3.0, "rui": 1.0}, "key_list_transactions": {"a": 1.5, "b": 2.5}}


@pytest.mark.parametrize("refused", list(FIRST))
async def test_totals_that_could_not_be_written_are_written_later_and_once(table: Table, refused: str) -> None:
    commit = getattr(writing.DBSpendUpdateWriter(), COMMIT)
    table.refused = {refused: refusal("25006")}
    for spent in (FIRST, SECOND):
        with pytest.raises(Exception, match="25006"):
            await commit(db_spend_update_transactions=spent)
    table.refused = {}
    await commit(db_spend_update_transactions={})
    await commit(db_spend_update_transactions={})
    assert table.written == BOTH


async def test_two_attempts_at_once_keep_what_both_had(table: Table) -> None:
    commit = getattr(writing.DBSpendUpdateWriter(), COMMIT)
    table.refused = {"user_list_transactions": refusal("25006")}
    attempts = [commit(db_spend_update_transactions=spent) for spent in (FIRST, SECOND)]
    assert [type(each).__name__ for each in await asyncio.gather(*attempts, return_exceptions=True)] == [
        "DataError"
    ] * 2
    table.refused = {}
    await commit(db_spend_update_transactions={})
    assert table.written == BOTH


async def test_what_may_have_been_written_is_not_written_again(table: Table) -> None:
    commit = getattr(writing.DBSpendUpdateWriter(), COMMIT)
    table.refused = {"user_list_transactions": httpx.ReadError("the answer of the database's engine is lost")}
    with pytest.raises(httpx.ReadError):
        await commit(db_spend_update_transactions=FIRST)
    table.refused = {}
    await commit(db_spend_update_transactions={})
    assert table.written == {"key_list_transactions": FIRST["key_list_transactions"]}


async def test_who_looks_after_what_is_left_goes_on_doing_so(table: Table) -> None:
    """With Redis LiteLLM does."""
    commit, told = getattr(writing.DBSpendUpdateWriter(), COMMIT), list[str]()
    table.refused = {"key_list_transactions": refusal("25006")}
    with pytest.raises(Exception, match="25006"):
        await commit(db_spend_update_transactions=FIRST, on_table_committed=told.append)
    table.refused = {}
    await commit(db_spend_update_transactions={})
    assert told == ["user_list_transactions"]
    assert table.written == {"user_list_transactions": FIRST["user_list_transactions"]}
