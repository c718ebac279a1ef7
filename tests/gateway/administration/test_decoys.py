"""Nothing goes past the handler: whatever a request says, the only host that the gateway asks is StackSpot's.

Every parameter and header that this LiteLLM reads, and every route that it has, collected from its code, in a gateway
whose environment names a decoy for each vendor. The stand-in's journal and the decoy are the witnesses.
"""

import json
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from custom_handlers.config.request_limits import RequestLimits
from custom_handlers.guard import fields, headers
from custom_handlers.guard.rejection import RejectedError
from simulator.client import Simulator
from tests.developers import hire
from tests.gateway.calling import CHAT, COMPLETIONS, MESSAGES, PATHS, RESPONSES, request_body
from tests.gateway.conftest import Decoy
from tests.gateway.litellm_surface import ROUTES_FILE, known_to_litellm
from tests.harness import WITHOUT_TLS, Account, Server, running_gateway
from tests.sampling import thorough

SURFACES = (CHAT, COMPLETIONS, MESSAGES, RESPONSES)
CALLS = [(surface, stream) for surface in SURFACES for stream in (False, True)]
KINDS = ["an address", "a provider", "yes", "a target", "targets"]
each_kind = pytest.mark.parametrize("kind", KINDS)
# What makes a call, or makes another of it: tried by the other tests.
OWN = {"model", "messages", "prompt", "input", "stream", "max_tokens", "kwargs", "self"}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
BATCH = 60


class Vendors(Decoy):
    """Stands for all vendors at once."""


@pytest.fixture(scope="module")
def vendors() -> Iterator[Vendors]:
    place = Vendors()
    yield place
    place.close()


@pytest.fixture(scope="module")
def routes_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("routes") / "routes.json"


@pytest.fixture(scope="module")
def tempting_gateway(
    account: Account,
    simulator_server: Server,
    database_variables: dict[str, str],
    logs: Path,
    vendors: Vendors,
    routes_file: Path,
) -> Iterator[Server]:
    """The repository's configuration with the database, and the keys of every vendor in its environment."""
    variables = known_to_litellm().variables
    environ = {name: vendors.url if kind == "address" else "sk-of-a-vendor" for name, kind in variables.items()}
    # What has no address of its own in the environment goes through a proxy, if it goes anywhere.
    environ |= dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), vendors.url)
    environ |= {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
    environ |= {
        "LITELLM_DISABLE_LAZY_ROUTES": "true",
        "LITELLM_WORKER_STARTUP_HOOKS": "tests.gateway.litellm_surface:write_routes",
        ROUTES_FILE: str(routes_file),
        "LITELLM_SALT_KEY": secrets.token_urlsafe(24),
    }
    assert len(environ) > 300
    environ |= {**account.for_gateway(simulator_server.url), **database_variables}
    with running_gateway(environ, logs / "tempting-gateway.log") as server:
        yield server


@pytest.fixture(scope="module")
def key(tempting_gateway: Server) -> str:
    """A developer's, as the admin UI makes it."""
    return hire(tempting_gateway, "curious", key_type="llm_api").key


@pytest.fixture
def client(tempting_gateway: Server, key: str, vendors: Vendors, simulator: Simulator) -> Iterator[httpx.Client]:
    vendors.calls = 0
    with httpx.Client(base_url=tempting_gateway.url, timeout=120, trust_env=False, verify=WITHOUT_TLS) as http:
        http.headers["authorization"] = f"Bearer {key}"
        yield http
    assert vendors.calls == 0
    assert tempting_gateway.process.poll() is None


def value_of(kind: str, vendors: Vendors) -> Any:
    """What a caller who would like to be sent elsewhere could say."""
    target = {"model": "openai/gpt-4o", "api_base": vendors.url, "base_url": vendors.url, "url": vendors.url}
    target |= {"server_url": vendors.url, "type": "mcp", "server_label": "x", "custom_llm_provider": "openai"}
    return dict(zip(KINDS, (vendors.url, "openai", True, target, [target]), strict=True))[kind]


def ask(client: httpx.Client, surface: str, stream: bool, extra: dict[str, Any]) -> httpx.Response:
    return client.post(PATHS[surface], json=request_body(surface) | {"stream": stream} | extra)


def upstream(simulator: Simulator) -> list[Any]:
    """Where StackSpot was asked, and what; tokens apart."""
    return [(record["path"], record["body"]) for record in simulator.requests("/v1/agent/")]


def test_what_is_collected_is_about_all() -> None:
    print(f"{len(known_to_litellm().parameters)} parameters, {len(known_to_litellm().headers)} headers")
    assert len(known_to_litellm().parameters) > 1000
    assert {"use_litellm_proxy", "api_base", "mock_response", "guardrails"} <= {*known_to_litellm().parameters}
    assert len(known_to_litellm().headers) > 200
    assert {"OPENAI_API_BASE", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "LITELLM_PROXY_API_BASE"} <= {
        *known_to_litellm().variables
    }


@pytest.mark.parametrize("surface", [*SURFACES, "count_tokens"])
def test_a_parameter_passes_by_name_only(surface: str) -> None:
    """Each by itself: dropped, refused, or one of the few that the surface has."""
    passed, statuses = set(), set()
    usual = request_body(surface if surface in SURFACES else MESSAGES)
    for name in set(known_to_litellm().parameters) - OWN:
        for value in ("openai", True, {"api_base": "x"}):
            body = usual | {name: value}
            try:
                fields.sift(surface, body, RequestLimits())
            except RejectedError as refusal:
                statuses.add(refusal.status)
                continue
            if body != usual:
                passed.add(name)
    assert passed <= fields.ALLOWED[surface]
    assert statuses == {400}


@thorough
@each_kind
@pytest.mark.parametrize(("surface", "stream"), CALLS)
def test_no_parameter_leads_elsewhere(
    client: httpx.Client, simulator: Simulator, vendors: Vendors, surface: str, stream: bool, kind: str
) -> None:
    """Those that LiteLLM never sees many at a time, those that pass each by itself."""
    names = sorted({*known_to_litellm().parameters} - OWN)
    harmless = [name for name in names if name not in {*fields.REFUSED, *fields.ALLOWED[surface]}]
    ask(client, surface, stream, {})
    simulator.clear()
    response = ask(client, surface, stream, {})
    usual = upstream(simulator)
    assert (response.status_code, len(usual)) == (200, 1)
    value = value_of(kind, vendors)
    for start in range(0, len(harmless), BATCH):
        simulator.clear()
        group = harmless[start : start + BATCH]
        extra = dict.fromkeys(group, value)
        if "router_settings_override" in extra and not isinstance(value, dict):
            del extra["router_settings_override"]
        response = ask(client, surface, stream, extra)
        assert (response.status_code, upstream(simulator)) == (200, usual), (group, response.text)
    for name in set(names) - set(harmless):
        simulator.clear()
        response = ask(client, surface, stream, {name: value})
        assert response.status_code == 200 or len(upstream(simulator)) == 0, (name, value, response.text)
        assert all(path.startswith("/v1/agent/") for path, _ in upstream(simulator))
    for name in fields.REFUSED:
        assert ask(client, surface, stream, {name: vendors.url}).status_code == 400


@thorough
@each_kind
@pytest.mark.parametrize(("surface", "stream"), CALLS)
def test_no_header_leads_elsewhere(
    client: httpx.Client, simulator: Simulator, vendors: Vendors, surface: str, stream: bool, kind: str
) -> None:
    """Those that LiteLLM never sees many at a time, those that pass each by itself."""
    ask(client, surface, stream, {})
    simulator.clear()
    ask(client, surface, stream, {})
    usual = upstream(simulator)
    passing = [name for name in known_to_litellm().headers if name.encode() in headers.ALLOWED]
    dropped = [name for name in known_to_litellm().headers if name.encode() not in headers.ALLOWED]
    groups = [[name] for name in passing] + [dropped[at : at + BATCH] for at in range(0, len(dropped), BATCH)]
    said = value_of(kind, vendors)
    value = "3" if said is True else said if isinstance(said, str) else json.dumps(said)
    for group in groups:
        simulator.clear()
        body = request_body(surface) | {"stream": stream}
        response = client.post(PATHS[surface], json=body, headers=dict.fromkeys(group, value))
        refused = group[0] in passing and response.status_code in (400, 401) and upstream(simulator) == []
        assert refused or (response.status_code, upstream(simulator)) == (200, usual), (group, value, response.text)


def requests_of(routes_file: Path) -> list[tuple[str, str]]:
    """Method and path of every route, parameters filled with the name of a vendor."""
    found = set()
    for route in json.loads(routes_file.read_text()):
        path = "/".join("openai" if "{" in part else part for part in route["path"].split("/"))
        if "}:" in route["path"]:
            path = route["path"][: route["path"].index("{")] + "stackspot" + route["path"].rpartition("}")[2]
        for method in route["methods"] or METHODS:
            found.add((method, path))
        if route["kind"] == "Mount":
            found |= {(method, f"{path}/v1/x") for method in METHODS}
    return sorted(found)


@thorough
@pytest.mark.parametrize("role", ["developer", "administrator"])
def test_no_route_leads_elsewhere(
    client: httpx.Client, tempting_gateway: Server, vendors: Vendors, routes_file: Path, simulator: Simulator, role: str
) -> None:
    if role == "administrator":
        client.headers["authorization"] = f"Bearer {tempting_gateway.key}"
    requests = [
        (method, path)
        for method, path in requests_of(routes_file)
        if path not in ("/session/logout", "/global/spend/reset", "/health")
    ]
    print(f"{len(requests)} requests as {role}")
    assert len(requests) > 950
    body = {"model": "openai/gpt-4o", "messages": [], "input": "x", "api_base": vendors.url, "url": vendors.url}
    opened, asked = [], []
    for method, path in requests:
        vendors.calls = 0
        try:
            response = client.request(method, path, json=None if method in ("GET", "HEAD") else body)
        except httpx.HTTPError as error:
            raise AssertionError((method, path)) from error
        if response.status_code < 400 and role == "developer":
            opened.append(path)
        if vendors.calls:
            asked.append((method, path, response.status_code))
    vendors.calls = 0
    assert asked == [], asked
    assert {path for path in opened if not path.startswith(("/ui", "/_next", "/litellm-asset-prefix"))} <= {
        *("/v1/models", "/models", "/key/info", "/health/liveliness", "/health/liveness", "/health/readiness"),
        *(
            "/get_image",
            "/get_logo_url",
            "/get_favicon",
            "/fallback/login",
            "/sso/key/generate",
            "/sso/get/ui_settings",
        ),
        *(
            "/get/ui_settings",
            "/get/ui_theme_settings",
            "/.well-known/litellm-ui-config",
            "/litellm/.well-known/litellm-ui-config",
            "/sso/readiness",
        ),
    }
    assert not [record for record in simulator.requests() if "/v1/agent/" in record["path"] and role == "developer"]


@thorough
def test_no_websocket_is_opened(client: httpx.Client, tempting_gateway: Server, routes_file: Path, key: str) -> None:
    paths = [route["path"] for route in json.loads(routes_file.read_text()) if "WebSocket" in route["kind"]]
    assert len(paths) > 8
    address = urlsplit(tempting_gateway.url)
    for path in [*paths, "/v1/responses"]:
        with socket.create_connection((address.hostname or "", address.port or 0), 10) as connection:
            path = path.replace("{endpoint:path}", "v1/realtime")
            lines = [f"GET {path}?model=stackspot HTTP/1.1", f"Host: {address.netloc}", f"Authorization: Bearer {key}"]
            lines += ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
            lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 404"), path


@thorough
@pytest.mark.parametrize("segment", ["key", "user", "team", "model", "spend", "config", "v1", "ui", "get"])
def test_no_route_of_any_name_passes_as_management(
    client: httpx.Client, tempting_gateway: Server, vendors: Vendors, routes_file: Path, segment: str
) -> None:
    """LiteLLM has routes whose first segment may be anything, such as /{provider}/v1/files."""
    client.headers["authorization"] = f"Bearer {tempting_gateway.key}"
    crossing = [route for route in json.loads(routes_file.read_text()) if route["path"].startswith("/{")]
    assert len(crossing) > 8
    for route in crossing:
        parts = [segment, *("x" if "{" in part else part for part in route["path"].split("/")[2:])]
        for method in route["methods"]:
            response = client.request(method, "/" + "/".join(parts), json={"url": vendors.url})
            assert response.status_code in (400, 404, 405), (method, parts, response.text)
