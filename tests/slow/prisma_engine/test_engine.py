"""The engine as prisma-client-py uses it: what is written comes back, and what fails has Prisma's codes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import prisma
import pytest

from tests.slow.prisma_engine.conftest import name

AWKWARD = "quotes \" and ' and \\ and {braces} and $tags, new\nlines, null, 💡"


def as_json(value: Any) -> Any:
    return prisma.Json(value)


async def test_every_kind_of_value(client: Any) -> None:
    user = name()
    moment = datetime(2026, 11, 22, 23, 59, 59, 123000, tzinfo=UTC)
    given: dict[str, Any] = {
        "user_id": user,
        "user_alias": AWKWARD,
        "max_budget": 12.34,
        "spend": 1e-7,
        "models": ["stackspot", AWKWARD, ""],
        "tpm_limit": 2**62 + 1,
        "budget_reset_at": moment,
        "metadata": as_json({"text": AWKWARD, "none": None, "nested": [{"$type": "Json", "value": "1"}], "big": 2**53}),
    }
    await client.litellm_usertable.create(data=given)
    found = await client.litellm_usertable.find_unique(where={"user_id": user})
    for field, value in given.items():
        assert getattr(found, field) == (value.data if isinstance(value, prisma.Json) else value), field
    assert found.user_email is None
    assert found.created_at - datetime.now(UTC) < timedelta(minutes=1), "timestamps are UTC, whatever the server's zone"


@pytest.mark.parametrize(
    "value", ["text", "DbNull", "", 0, -1.5, True, [], {}, [1, [2, {"a": None}]], {"$type": "Json"}]
)
async def test_every_kind_of_json(client: Any, value: Any) -> None:
    key = name()
    await client.litellm_config.create(data={"param_name": key, "param_value": as_json(value)})
    assert (await client.litellm_config.find_unique(where={"param_name": key})).param_value == value


async def test_find_update_upsert_delete(client: Any) -> None:
    table, prefix = client.litellm_usertable, name()
    users = [f"{prefix}-{i}" for i in range(5)]
    assert (
        await table.create_many(
            data=[{"user_id": user, "spend": float(i), "models": []} for i, user in enumerate(users)]
        )
        == 5
    )
    assert await table.create_many(data=[{"user_id": users[0]}], skip_duplicates=True) == 0
    mine = {"user_id": {"startswith": prefix}}
    page = await table.find_many(where=mine, order={"spend": "desc"}, skip=1, take=2)
    assert [user.user_id for user in page] == [users[3], users[2]]
    where = {"AND": [mine, {"OR": [{"spend": {"gte": 4}}, {"NOT": {"user_id": {"in": users[1:]}}}]}]}
    assert {user.user_id for user in await table.find_many(where=where)} == {users[0], users[4]}
    assert await table.count(where={**mine, "user_alias": None}) == 5
    assert (await table.find_first(where=mine, order={"spend": "asc"})).user_id == users[0]
    changed = await table.update(
        where={"user_id": users[1]}, data={"spend": {"increment": 0.5}, "models": {"set": ["a"]}}
    )
    assert (changed.spend, changed.models) == (1.5, ["a"])
    assert await table.update_many(where=mine, data={"user_alias": "all"}) == 5
    for spend in (7.0, 8.0):
        await table.upsert(
            where={"user_id": f"{prefix}-new"},
            data={"create": {"user_id": f"{prefix}-new", "spend": spend}, "update": {"spend": spend}},
        )
    assert (await table.find_unique(where={"user_id": f"{prefix}-new"})).spend == 8.0
    assert (await table.delete(where={"user_id": users[0]})).user_id == users[0]
    assert await table.delete_many(where=mine) == 5
    assert await table.find_unique(where={"user_id": users[0]}) is None
    assert await table.update(where={"user_id": users[0]}, data={"spend": 1.0}) is None


async def test_groups(client: Any) -> None:
    prefix = name()
    for i in range(4):
        await client.litellm_usertable.create(
            data={"user_id": f"{prefix}-{i}", "user_role": "odd" if i % 2 else "even", "spend": float(i)}
        )
    groups = await client.litellm_usertable.group_by(
        by=["user_role"],
        where={"user_id": {"startswith": prefix}},
        sum={"spend": True},
        count=True,
        order={"user_role": "asc"},
    )
    assert [(g["user_role"], g["_sum"]["spend"], g["_count"]["_all"]) for g in groups] == [
        ("even", 2.0, 2),
        ("odd", 4.0, 2),
    ]


async def test_relations(client: Any) -> None:
    """A key with its budget: made together, read together, filtered by it, changed through it."""
    budget, token = name(), name()
    by = {"created_by": "me", "updated_by": "me"}
    await client.litellm_verificationtoken.create(
        data={
            "token": token,
            "metadata": as_json({"a": 1}),
            "litellm_budget_table": {
                "create": {"budget_id": budget, "max_budget": 5.0, "model_max_budget": as_json({"x": 1}), **by}
            },
        }
    )
    found = await client.litellm_verificationtoken.find_unique(
        where={"token": token}, include={"litellm_budget_table": True}
    )
    assert found.litellm_budget_table.max_budget == 5.0
    assert found.litellm_budget_table.model_max_budget == {"x": 1}
    where = {"litellm_budget_table": {"is": {"max_budget": {"gt": 4.0}, "budget_id": budget}}}
    assert [key.token for key in await client.litellm_verificationtoken.find_many(where=where)] == [token]
    await client.litellm_budgettable.update(
        where={"budget_id": budget},
        data={"keys": {"update": [{"where": {"token": token}, "data": {"spend": 3.0, "metadata": as_json({"a": 2})}}]}},
    )
    await client.litellm_verificationtoken.update(
        where={"token": token},
        data={"litellm_budget_table": {"update": {"max_budget": 6.0, "model_max_budget": as_json({"y": 2})}}},
    )
    other = await client.litellm_budgettable.find_unique(
        where={"budget_id": budget}, include={"keys": {"where": {"token": token}}}
    )
    assert (other.max_budget, other.model_max_budget) == (6.0, {"y": 2})
    assert [key.metadata for key in other.keys] == [{"a": 2}]
    await client.litellm_verificationtoken.update(
        where={"token": token}, data={"litellm_budget_table": {"disconnect": True}}
    )
    assert (await client.litellm_verificationtoken.find_unique(where={"token": token})).budget_id is None
    await client.litellm_verificationtoken.update(
        where={"token": token}, data={"litellm_budget_table": {"connect": {"budget_id": budget}}}
    )
    assert (await client.litellm_verificationtoken.find_unique(where={"token": token})).budget_id == budget


async def test_raw_queries(client: Any) -> None:
    user = name()
    assert await client.execute_raw('INSERT INTO "LiteLLM_UserTable" (user_id, spend) VALUES ($1, $2)', user, 2.5) == 1
    [row] = await client.query_raw(
        """
        SELECT user_id, spend, current_database()::name AS db, 3::bigint AS big, 1.5::numeric AS decimal,
            NULL AS nothing, '{"$type": "Json", "value": 1}'::jsonb AS tagged, ARRAY['a', NULL] AS list
        FROM "LiteLLM_UserTable" WHERE user_id = $1
        """,
        user,
    )
    assert row.pop("db").startswith("test_"), "a type that the driver adapter does not know"
    assert row == {
        "user_id": user,
        "spend": 2.5,
        "big": 3,
        "decimal": 1.5,
        "nothing": None,
        "tagged": {"$type": "Json", "value": 1},
        "list": ["a", None],
    }
