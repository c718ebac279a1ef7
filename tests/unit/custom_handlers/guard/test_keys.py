"""Keys of the admin UI get the routes of `make key`."""

from typing import Any

import pytest

from custom_handlers.guard.keys import with_routes
from custom_handlers.guard.routes import DEVELOPER_ROUTES


@pytest.mark.parametrize(
    "body",
    [{}, {"key_type": "llm_api"}, {"key_type": "default"}, {"key_type": None}, {"allowed_routes": []}, {"models": []}],
    ids=str,
)
@pytest.mark.parametrize("path", ["/key/generate", "/key/service-account/generate", "/user/new"])
def test_a_key_that_calls_models(path: str, body: dict[str, Any]) -> None:
    found = with_routes(path, body)
    assert found["allowed_routes"] == DEVELOPER_ROUTES
    assert "key_type" not in found


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/key/generate", {"key_type": "management"}),
        ("/key/generate", {"key_type": "read_only"}),
        ("/key/generate", {"allowed_routes": ["/v1/models"]}),
        ("/user/new", {"user_role": "proxy_admin"}),
        ("/key/update", {"key": "sk-x", "max_budget": 3}),
        ("/key/sk-x/regenerate", {}),
    ],
)
def test_other_keys_stay_as_they_are_asked_for(path: str, body: dict[str, Any]) -> None:
    assert with_routes(path, body) == body


def test_no_change_of_a_key_opens_every_route() -> None:
    assert with_routes("/key/update", {"key": "x", "allowed_routes": []})["allowed_routes"] == DEVELOPER_ROUTES
