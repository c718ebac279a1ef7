"""What the database does not take now is written when it does.

LiteLLM takes whatever Postgres refuses for a fault of the row, drops the row of the request log and goes on; only too
many connections (SQLSTATE 53300) it knows as the database's own trouble, and then it keeps what it could not write. A
full disk and want of memory are of that class (53, insufficient resources) as well, and managed Postgres takes no more
writes shortly before its disk is full (25006, a read-only transaction). A statement that ends so has changed nothing.

And what keys, users and teams have spent, their budgets' totals, it keeps for later where it buffers them in Redis.
Without Redis they were lost with the first attempt to write them that failed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from custom_handlers.litellm_adapter.replacing import replace

logger = logging.getLogger("stackspot_config")

NO_ROOM = ("53", "25006")  # https://www.postgresql.org/docs/current/errcodes-appendix.html
_TOTALS = "db_spend_update_transactions"
_KEPT = "stackspot_kept"
Totals = Mapping[str, Mapping[str, float] | None]  # LiteLLM's: by table, and in it by the id of whose they are


def keep() -> None:
    """From now on. Safe to call again, and without a database's client."""
    try:
        from litellm.proxy.db import db_spend_update_writer as writing
        from litellm.proxy.db.exception_handler import PrismaDBExceptionHandler
    except ImportError:
        return
    faults, writer = PrismaDBExceptionHandler, writing.DBSpendUpdateWriter
    replace(faults, "is_database_capacity_error", lambda own: _is_database_capacity_error(own, faults))
    replace(writer, "_commit_spend_updates_to_db", lambda own: _commit_or_keep(own, writing))


def _is_database_capacity_error(own: Any, faults: Any) -> Any:
    def is_database_capacity_error(e: Exception) -> Any:
        return own(e) or (faults.postgres_sqlstate(e) or "").startswith(NO_ROOM)

    return is_database_capacity_error


def _commit_or_keep(own: Any, writing: Any) -> Any:
    async def commit_or_keep(writer: Any, *, on_table_committed: Any = None, **named: Any) -> None:
        if on_table_committed is not None:  # with Redis LiteLLM puts back there what is left
            await own(writer, on_table_committed=on_table_committed, **named)
            return
        # Not in LiteLLM's queue: it is bounded, and who puts something into a full one waits for this very job.
        totals = added(named.pop(_TOTALS), vars(writer).pop(_KEPT, {}))
        committed: list[str] = []
        try:
            await own(writer, on_table_committed=committed.append, **{**named, _TOTALS: totals})
        except Exception as error:
            # LiteLLM's judgement: a table whose statement may have done its work is not written again.
            left = writing._spend_tables_left_to_send(totals, committed, error) or {}
            vars(writer)[_KEPT] = added(vars(writer).get(_KEPT, {}), left)  # at a stop two of them overlap
            count = sum(len(spent or {}) for spent in left.values())
            logger.warning("The database took no spend: %d totals are kept, to be written later.", count)
            raise

    return commit_or_keep


def added(these: Totals, those: Totals) -> dict[str, dict[str, float]]:
    """The sums of two, by table and id."""
    sums: dict[str, dict[str, float]] = {}
    for table in {**these, **those}:
        mine, theirs = these.get(table) or {}, those.get(table) or {}
        sums[table] = {each: mine.get(each, 0) + theirs.get(each, 0) for each in {**mine, **theirs}}
    return sums
