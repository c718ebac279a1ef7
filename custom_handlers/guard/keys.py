"""Keys that are made elsewhere than by `make key`, in the admin UI above all, get the same routes as its keys.

LiteLLM's own sets of routes for keys open /model/info, with the agents' ids, and more with each version. Its setting
for such defaults (`default_key_generate_params`) knows no routes.
"""

from __future__ import annotations

from typing import Any

from custom_handlers.guard.routes import DEVELOPER_ROUTES

# Kinds of key that call models. The others (management, read_only) are for administrators.
_CALLS_MODELS = (None, "", "default", "llm_api")


def with_routes(path: str, body: dict[str, Any]) -> dict[str, Any]:
    """`body` of a request that makes a key, or changes one, with the routes of a developer unless it names others."""
    makes = path.endswith(("/generate", "/new")) and not str(body.get("user_role")).startswith("proxy_admin")
    if makes and body.get("key_type") in _CALLS_MODELS and not body.get("allowed_routes"):
        return {key: value for key, value in body.items() if key != "key_type"} | {"allowed_routes": DEVELOPER_ROUTES}
    if not makes and "allowed_routes" in body and not body["allowed_routes"]:
        return body | {"allowed_routes": DEVELOPER_ROUTES}
    return body
