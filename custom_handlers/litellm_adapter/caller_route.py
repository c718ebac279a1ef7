"""Who asks: LiteLLM's own judgement of a request's key, for the guard alone. Nobody else reaches this path."""

from typing import Any

from fastapi import Depends
from fastapi.routing import APIRoute
from litellm.proxy._types import UserAPIKeyAuth
from litellm.proxy.auth.user_api_key_auth import user_api_key_auth

from custom_handlers.litellm_adapter.hook import caller_of

# LiteLLM takes it for a response of that id: whoever may ask for responses may ask for it.
PATH = "/v1/responses/caller"


def add(app: Any) -> None:
    """Adds the route to LiteLLM's app, once."""
    if any(getattr(route, "path", None) == PATH for route in app.router.routes):
        return

    async def caller(key: UserAPIKeyAuth = Depends(user_api_key_auth)) -> str:  # noqa: B008
        return caller_of(key).key

    # In front of LiteLLM's routes, one of which has this path as well.
    app.router.routes.insert(0, APIRoute(PATH, caller, methods=["GET"], include_in_schema=False))
