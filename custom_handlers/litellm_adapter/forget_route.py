"""POST /stackspot/forget: takes a developer's name out of the database, where LiteLLM's own deletion leaves it.

LiteLLM deletes the user and the keys. The name stays in the list of requests, in usage by day, deleted keys, teams and
more. Lists of what somebody did go; sums stay, for the accounts, under a name that leads to nobody.
"""

import json
import secrets
from collections.abc import Callable
from typing import Any

from fastapi import Body, Depends, HTTPException
from fastapi.routing import APIRoute
from litellm.proxy._types import LitellmUserRoles, UserAPIKeyAuth
from litellm.proxy.auth.user_api_key_auth import user_api_key_auth

PATH = "/stackspot/forget"
# $1 is what the developer is called, as JSON; $2 the fingerprints of the keys; $3 the name that leads to nobody.
_NAMES = "(SELECT jsonb_array_elements_text($1::jsonb))"
_KEYS = "(SELECT jsonb_array_elements_text($2::jsonb))"
_CALLED = """
    SELECT name FROM (
        SELECT unnest(ARRAY[user_id, user_alias, user_email, sso_user_id]) AS name FROM "LiteLLM_UserTable"
            WHERE user_id = $1
        UNION SELECT key_alias FROM "LiteLLM_VerificationToken" WHERE user_id = $1
        UNION SELECT unnest(ARRAY[user_id, key_alias]) FROM "LiteLLM_DeletedVerificationToken" WHERE user_id = $1
        UNION SELECT user_id FROM "LiteLLM_DailyUserSpend" WHERE user_id = $1
        UNION SELECT "user" FROM "LiteLLM_SpendLogs" WHERE "user" = $1
    ) AS found WHERE name <> ''
"""
_TOKENS = """
    SELECT token AS name FROM "LiteLLM_VerificationToken" WHERE user_id = $1
    UNION SELECT token FROM "LiteLLM_DeletedVerificationToken" WHERE user_id = $1
    UNION SELECT DISTINCT api_key FROM "LiteLLM_DailyUserSpend" WHERE user_id = $1 AND api_key <> ''
"""
# What goes, table by table.
_DELETED = {
    "LiteLLM_SpendLogs": f'"user" IN {_NAMES} OR api_key IN {_KEYS}',
    "LiteLLM_DeletedVerificationToken": f"user_id IN {_NAMES} OR token IN {_KEYS}",
    "LiteLLM_VerificationToken": f"user_id IN {_NAMES} OR token IN {_KEYS}",
    "LiteLLM_DailyRequestErrors": f"user_id IN {_NAMES} OR api_key IN {_KEYS}",
    "LiteLLM_DailyEndUserSpend": f"end_user_id IN {_NAMES} OR api_key IN {_KEYS}",
    "LiteLLM_EndUserTable": f"user_id IN {_NAMES}",
    "LiteLLM_InvitationLink": f"user_id IN {_NAMES}",
    "LiteLLM_TeamMembership": f"user_id IN {_NAMES}",
    "LiteLLM_OrganizationMembership": f"user_id IN {_NAMES}",
    "LiteLLM_AuditLog": f"object_id IN {_NAMES} OR object_id IN {_KEYS}",
    "LiteLLM_UserTable": f"user_id IN {_NAMES}",
}
_RENAMED = 'UPDATE "LiteLLM_DailyUserSpend" SET user_id = $2, updated_at = now() WHERE user_id = $1'
_TEAMS = f"""
    UPDATE "LiteLLM_TeamTable" SET
        members = ARRAY(SELECT unnest(members) EXCEPT SELECT jsonb_array_elements_text($1::jsonb)),
        admins = ARRAY(SELECT unnest(admins) EXCEPT SELECT jsonb_array_elements_text($1::jsonb)),
        members_with_roles = coalesce((
            SELECT jsonb_agg(member) FROM jsonb_array_elements(members_with_roles) AS member
            WHERE coalesce(member->>'user_id', '') NOT IN {_NAMES}
        ), '[]')
    WHERE jsonb_typeof(members_with_roles) = 'array' AND EXISTS (
        SELECT 1 FROM jsonb_array_elements(members_with_roles) AS member WHERE member->>'user_id' IN {_NAMES}
    )
"""  # noqa: S608  # constants
_AUTHORS = ("LiteLLM_VerificationToken", "LiteLLM_DeletedVerificationToken", "LiteLLM_BudgetTable")


def add(app: Any, database: Callable[[], Any]) -> None:
    """Adds the route to LiteLLM's app, once; `database` gives LiteLLM's connection, None where there is none."""
    if any(getattr(route, "path", None) == PATH for route in app.router.routes):
        return

    async def forget(
        name: str = Body(embed=True, min_length=1),
        key: UserAPIKeyAuth = Depends(user_api_key_auth),  # noqa: B008
    ) -> dict[str, Any]:
        if key.user_role != LitellmUserRoles.PROXY_ADMIN:
            raise HTTPException(403, "Only administrators may delete a developer's data.")
        connection = database()
        if connection is None:
            raise HTTPException(400, "This gateway has no database, and so nothing of a developer.")
        return {"deleted": await _forget(connection, name)}

    # In front of LiteLLM's routes: the last of them take any path.
    app.router.routes.insert(0, APIRoute(PATH, forget, methods=["POST"], include_in_schema=False))


async def _forget(connection: Any, name: str) -> int:
    """The rows that went."""
    called = {name, *(row["name"] for row in await connection.query_raw(_CALLED, name))}
    tokens = [row["name"] for row in await connection.query_raw(_TOKENS, name)]
    names, keys = json.dumps(sorted(called)), json.dumps(tokens)
    nobody = f"deleted-{secrets.token_hex(4)}"
    counts: list[int] = []
    async with connection.tx() as transaction:
        await transaction.execute_raw(_TEAMS, names)
        counts.append(await transaction.execute_raw(_RENAMED, name, nobody))
        for table in _AUTHORS:
            for column in ("created_by", "updated_by"):
                await transaction.execute_raw(
                    f'UPDATE "{table}" SET {column} = $2 WHERE {column} IN {_NAMES}',  # noqa: S608
                    names,
                    nobody,
                )
        for table, where in _DELETED.items():
            given = (names, keys) if _KEYS in where else (names,)
            counts.append(await transaction.execute_raw(f'DELETE FROM "{table}" WHERE {where}', *given))  # noqa: S608
    return sum(counts)
