"""Keys that an administrator makes in LiteLLM's admin UI, as the UI asks for them."""

import base64
import json
import secrets
from typing import Any

import httpx
import pytest

from custom_handlers.guard.routes import DEVELOPER_ROUTES
from tests.developers import hire
from tests.harness import WITHOUT_TLS, Server

PAGES = (
    *("/key/list", "/user/list", "/v2/team/list", "/v1/models", "/v2/model/info", "/get/ui_settings"),
    "/spend/logs/ui?start_date=2020-01-01%2000:00:00&end_date=2030-01-01%2000:00:00",
    "/user/daily/activity?start_date=2020-01-01&end_date=2030-01-01",
)


def call(gateway: Server, key: str, method: str, path: str, body: Any = None) -> httpx.Response:
    with httpx.Client(base_url=gateway.url, timeout=60, trust_env=False, verify=WITHOUT_TLS) as http:
        return http.request(method, path, json=body, headers={"authorization": f"Bearer {key}"})


@pytest.fixture
def session(team_gateway: Server) -> str:
    """The key of a signed-in administrator's session, which the UI reads from its cookie."""
    with httpx.Client(base_url=team_gateway.url, timeout=60, trust_env=False, verify=WITHOUT_TLS) as http:
        response = http.post("/v2/login", json={"username": "admin", "password": team_gateway.ui_password})
        assert response.status_code == 200, response.text
        payload = http.cookies["token"].split(".")[1]
    found: str = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["key"]
    return found


@pytest.mark.parametrize("kind", [{"key_type": "llm_api"}, {"key_type": "default"}, {}], ids=str)
def test_a_key_of_the_ui_gets_the_routes_of_a_developer(
    team_gateway: Server, session: str, kind: dict[str, str]
) -> None:
    body = {"key_alias": f"ui-{secrets.token_hex(4)}", "models": ["stackspot"], "metadata": {}, **kind}
    made = call(team_gateway, session, "POST", "/key/generate", body)
    assert made.status_code == 200, made.text
    key = made.json()["key"]
    assert call(team_gateway, key, "GET", "/key/info").json()["info"]["allowed_routes"] == DEVELOPER_ROUTES
    ask = {"model": "stackspot", "messages": [{"role": "user", "content": "Hi"}]}
    assert call(team_gateway, key, "POST", "/v1/chat/completions", ask).status_code == 200
    assert call(team_gateway, key, "POST", "/engines/stackspot/chat/completions", ask).status_code == 200
    assert call(team_gateway, key, "GET", "/models").status_code == 200
    for path in ("/model/info", "/v2/model/info", "/key/list", "/user/info", "/spend/logs"):
        assert call(team_gateway, key, "GET", path).status_code == 403, path


def test_an_administrators_session_works(team_gateway: Server, session: str) -> None:
    developer = hire(team_gateway, "shown")
    for path in (*PAGES, f"/key/info?key={developer.token}"):
        response = call(team_gateway, session, "GET", path)
        assert response.status_code == 200, (path, response.text)
    changed = {"key": developer.token, "allowed_routes": []}
    assert call(team_gateway, session, "POST", "/key/update", changed).status_code == 200
    info = call(team_gateway, session, "GET", f"/key/info?key={developer.token}").json()["info"]
    assert info["allowed_routes"] == DEVELOPER_ROUTES
