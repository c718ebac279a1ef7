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
from collections.abc import Iterator, Mapping
from typing import Any

logger = logging.getLogger("stackspot_config")

NO_ROOM = ("53", "25006")  # https://www.postgresql.org/docs/current/errcodes-appendix.html
# LiteLLM's names of the tables whose totals it raises, and of whose totals they are.
ENTITIES = {
    "user_list_transactions": "USER",
    "end_user_list_transactions": "END_USER",
    "key_list_transactions": "KEY",
    "team_list_transactions": "TEAM",
    "team_member_list_transactions": "TEAM_MEMBER",
    "org_list_transactions": "ORGANIZATION",
    "org_member_list_transactions": "ORGANIZATION_MEMBER",
    "project_list_transactions": "PROJECT",
    "tag_list_transactions": "TAG",
    "model_access_group_list_transactions": "MODEL_ACCESS_GROUP",
    "agent_list_transactions": "AGENT",
}
_OURS = "stackspot_keeps"


def keep() -> None:
    """From now on. Safe to call again, and without a database's client."""
    try:
        from litellm.proxy.db import db_spend_update_writer as writing
        from litellm.proxy.db.exception_handler import PrismaDBExceptionHandler
    except ImportError:
        return
    _widen(PrismaDBExceptionHandler)
    _keep_totals(writing)


def _widen(faults: Any) -> None:
    own = faults.is_database_capacity_error
    if hasattr(own, _OURS):
        return

    def is_database_capacity_error(e: Exception) -> Any:
        return own(e) or (faults.postgres_sqlstate(e) or "").startswith(NO_ROOM)

    setattr(is_database_capacity_error, _OURS, True)
    faults.is_database_capacity_error = staticmethod(is_database_capacity_error)


def _keep_totals(writing: Any) -> None:
    own = writing.DBSpendUpdateWriter._commit_spend_updates_to_db
    if hasattr(own, _OURS):
        return

    async def commit_or_keep(writer: Any, *, on_table_committed: Any = None, **named: Any) -> None:
        if on_table_committed is not None:  # whoever looks keeps what is left, in Redis
            await own(writer, on_table_committed=on_table_committed, **named)
            return
        committed: list[str] = []
        try:
            await own(writer, on_table_committed=committed.append, **named)
        except Exception as error:
            # LiteLLM's judgement: a table whose statement may have done its work is not written again.
            left = writing._spend_tables_left_to_send(named["db_spend_update_transactions"], committed, error)
            kept = list(updates(left or {}))
            for update in kept:
                await writer.spend_update_queue.add_update(update)
            logger.warning("The database took no spend: %d totals are kept, to be written later.", len(kept))
            raise

    setattr(commit_or_keep, _OURS, True)
    writing.DBSpendUpdateWriter._commit_spend_updates_to_db = commit_or_keep


def updates(totals: Mapping[str, Mapping[str, float] | None]) -> Iterator[Any]:
    """Totals by table and id, as the entries of LiteLLM's queue that add up to them."""
    from litellm.proxy._types import Litellm_EntityType, SpendUpdateQueueItem

    for table, spent in totals.items():
        for entity, cost in (spent or {}).items():
            kind = Litellm_EntityType[ENTITIES[table]]
            yield SpendUpdateQueueItem(entity_type=kind, entity_id=entity, response_cost=cost)
