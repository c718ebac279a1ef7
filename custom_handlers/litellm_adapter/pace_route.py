"""GET /stackspot/pace: how StackSpot's limits are shared at this moment, for administrators.

The default account's numbers, and under `accounts` those of each account beside it.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import Depends, HTTPException
from fastapi.routing import APIRoute
from litellm.proxy._types import LitellmUserRoles, UserAPIKeyAuth
from litellm.proxy.auth.user_api_key_auth import user_api_key_auth

from custom_handlers.pacing.quota import IN_PROCESS, Quota, Status

PATH = "/stackspot/pace"
# LiteLLM's name of a key: what it lists keys by, and no secret.
_HASH = re.compile(r"[0-9a-f]{64}")
_ADMINISTRATORS = (LitellmUserRoles.PROXY_ADMIN, LitellmUserRoles.PROXY_ADMIN_VIEW_ONLY)

# By account, the default one as ""; None where nothing is paced.
Look = Callable[[], Awaitable[Mapping[str, tuple[Quota, Status] | None]]]


def add(app: Any, look: Look) -> None:
    """Adds the route to LiteLLM's app, once."""
    if any(getattr(route, "path", None) == PATH for route in app.router.routes):
        return

    async def pace(key: UserAPIKeyAuth = Depends(user_api_key_auth)) -> dict[str, Any]:  # noqa: B008
        if key.user_role not in _ADMINISTRATORS:
            raise HTTPException(403, "Only administrators may see how the account is shared.")
        default, *others = [(name, _described(found)) for name, found in (await look()).items()]
        return {**default[1], **({"accounts": dict(others)} if others else {})}

    # In front of LiteLLM's routes: the last of them take any path.
    app.router.routes.insert(0, APIRoute(PATH, pace, methods=["GET"], include_in_schema=False))


def _described(found: tuple[Quota, Status] | None) -> dict[str, Any]:
    if found is None:
        return {"paced": False}
    quota, status = found
    return {
        "paced": True,
        "requests_per_minute": quota.per_minute,
        "pace": round(status.rate, 1),
        "waiting": status.waiting,
        "last_minute": status.gone,
        "seconds_since_429": None if status.last_429 is None else round(status.last_429, 1),
        "shared": status.shared,
        "keys": [
            {"key": key if _HASH.fullmatch(key) or key == IN_PROCESS else "other", "waiting": wait, "last_minute": gone}
            for key, (wait, gone) in sorted(status.keys.items(), key=lambda item: -item[1][1])
        ],
    }
