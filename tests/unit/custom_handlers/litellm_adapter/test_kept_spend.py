"""What LiteLLM keeps of what the database refuses: with LiteLLM's own writer and queue, and Prisma's own errors."""

from importlib import import_module
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


def stops_at(table: str, error: Exception) -> Any:
    """In place of LiteLLM's own, which needs a database: tests/slow/resilience/test_without_redis.py has both."""

    async def commit(writer: Any, *, db_spend_update_transactions: Any, on_table_committed: Any = None) -> None:
        for each in kept_spend.ENTITIES:
            if each == table:
                raise error
            on_table_committed(each)

    return commit


async def left_after(commit: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, float]]:
    """Totals in the writer's queue after it tried to write some."""
    monkeypatch.setattr(writing.DBSpendUpdateWriter, COMMIT, commit)
    kept_spend.keep()
    writer = writing.DBSpendUpdateWriter()
    totals = {"user_list_transactions": {"ana": 3.0}, "key_list_transactions": {"a": 1.5, "b": 2.0}}
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the database said
        await getattr(writer, COMMIT)(db_spend_update_transactions=totals)
    left = await writer.spend_update_queue.flush_and_get_aggregated_db_spend_update_transactions()
    return {table: spent for table, spent in left.items() if spent}


async def test_totals_that_could_not_be_written_wait_for_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    left = await left_after(stops_at("key_list_transactions", refusal("25006")), monkeypatch)
    assert left == {"key_list_transactions": {"a": 1.5, "b": 2.0}}, "what was written is not written again"


async def test_all_wait_when_the_first_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    left = await left_after(stops_at("user_list_transactions", refusal("53100")), monkeypatch)
    assert left == {"user_list_transactions": {"ana": 3.0}, "key_list_transactions": {"a": 1.5, "b": 2.0}}


async def test_what_may_have_been_written_is_not_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = httpx.ReadError("the answer of the database's engine is lost")
    left = await left_after(stops_at("user_list_transactions", broken), monkeypatch)
    assert left == {"key_list_transactions": {"a": 1.5, "b": 2.0}}


async def test_who_looks_after_what_is_left_goes_on_doing_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """With Redis LiteLLM does."""
    monkeypatch.setattr(writing.DBSpendUpdateWriter, COMMIT, stops_at("key_list_transactions", refusal("25006")))
    kept_spend.keep()
    writer, told = writing.DBSpendUpdateWriter(), list[str]()
    with pytest.raises(Exception, match="25006"):
        await getattr(writer, COMMIT)(db_spend_update_transactions={}, on_table_committed=told.append)
    assert told == ["user_list_transactions", "end_user_list_transactions"]
    assert writer.spend_update_queue.update_queue.empty()


def test_each_of_litellms_tables_is_known() -> None:
    queue = writing.DBSpendUpdateWriter().spend_update_queue
    totals = {table: {f"of {table}": 1.0 + number} for number, table in enumerate(kept_spend.ENTITIES)}
    assert queue.get_aggregated_db_spend_update_transactions(list(kept_spend.updates(totals))) == totals
    assert tuple(kept_spend.ENTITIES) == vars(import_module(WRITING))["_SPEND_TABLE_COMMIT_ORDER"]
