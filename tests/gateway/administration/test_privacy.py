"""A developer's key opens what the gateway is for, and its own information; nothing else."""

import re
from collections.abc import Callable, Iterator

import httpx

from gateway.keys import ALLOWED_ROUTES
from tests.gateway.administration.conftest import Developer, Make
from tests.harness import AGENTS, WITHOUT_TLS, Server

METHODS = {"get", "post", "put", "patch", "delete"}
REFUSED = {401, 403}


def operations(gateway: Server) -> Iterator[tuple[str, str]]:
    """Everything that the proxy says it has, with x for what is named in a path."""
    headers = {"Authorization": f"Bearer {gateway.key}"}
    paths = httpx.get(f"{gateway.url}/openapi.json", headers=headers, timeout=60, verify=WITHOUT_TLS).json()["paths"]
    for path, methods in paths.items():
        for method in METHODS & methods.keys():
            yield method.upper(), re.sub(r"\{[^}]+\}", "x", path)


def is_allowed(path: str) -> bool:
    return any(path == route or path.startswith(f"{route}/") for route in ALLOWED_ROUTES)


def call(client: httpx.Client, method: str, path: str, **headers: str) -> tuple[int, str]:
    """Status and text; both empty when the answer has no end."""
    try:
        response = client.request(method, path, headers=headers, json=None if method == "GET" else {})
    except httpx.TransportError:
        return 0, ""
    return response.status_code, response.text


def test_every_route_that_wants_a_key_is_closed(developer: Callable[..., Developer], team_gateway: Server) -> None:
    key = developer("closed").key
    checked, opened = 0, []
    with httpx.Client(base_url=team_gateway.url, timeout=60, verify=WITHOUT_TLS) as client:
        for method, path in operations(team_gateway):
            if is_allowed(path) or path.startswith("/langfuse/"):  # that one wants Basic, and trips over Bearer
                continue
            checked += 1
            status, text = call(client, method, path, Authorization=f"Bearer {key}")
            if status in REFUSED or "auth_error" in text:
                continue
            if status != call(client, method, path)[0]:  # otherwise it is open to strangers, too: a health check, say
                opened.append((method, path, status))
    assert checked > 500
    assert opened == []


def test_own_information_only(developer: Callable[..., Developer], make: Make) -> None:
    ines, jan = developer("ines"), developer("jan")
    own = ines.get("/key/info")
    assert own.json()["info"]["key_alias"] == "ines"
    [token] = {jan.get("/key/info").json()["key"]}
    for other in (jan.key, token):
        response = ines.get(f"/key/info?key={other}")
        assert response.status_code == 403
        assert "jan" not in response.text
    for path in ("/model/info", "/v1/model/info", "/v2/model/info", "/model_group/info", "/key/list", "/user/info",
                 "/user/list", "/team/list", "/spend/logs", "/spend/keys", "/global/spend", "/user/daily/activity",
                 "/get/config/callbacks", "/v1/mcp/server", "/v1/agents"):  # fmt: skip
        response = ines.get(path)
        assert response.status_code == 403, (path, response.text)
        assert not any(agent in response.text for agent in AGENTS.values())


def test_no_key_makes_or_changes_keys(developer: Callable[..., Developer], make: Make) -> None:
    kim = developer("kim", "BUDGET=1")
    for path, body in (
        ("/key/generate", {"key_alias": "kim-2"}),
        ("/key/update", {"key": kim.key, "max_budget": 1000}),
        ("/key/delete", {"key_aliases": ["kim"]}),
        ("/user/update", {"user_id": "kim", "user_role": "proxy_admin"}),
        ("/team/new", {"team_alias": "kims"}),
    ):
        assert kim.post(path, body).status_code == 403, path
    assert "kim-2" not in make("keys").stdout
    assert kim.get("/key/info").json()["info"]["max_budget"] == 1


def test_models_are_listed(developer: Callable[..., Developer]) -> None:
    listed = developer("lister", "MODELS=stackspot,stackspot-code").get("/v1/models").json()["data"]
    both_names = {"stackspot", "stackspot-ai-chat", "stackspot-code", "stackspot-ai-code"}
    assert {model["id"] for model in listed} == both_names
