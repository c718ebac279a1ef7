"""The guard in front of the stock proxy: bodies, limits, errors."""

import gzip
import json
import secrets
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from gateway.failures import StartError
from simulator.client import Simulator
from tests.gateway.calling import CHAT, COMPLETIONS, MESSAGES, PATHS, RESPONSES, ROUTES, Caller, read, request_body
from tests.harness import ROOT, WITHOUT_TLS, Account, Server, running_gateway

MB = 1024 * 1024


def error_of(route: str, response: httpx.Response) -> dict[str, Any]:
    """The error in the shape that the route's own SDK reads."""
    assert response.headers["content-type"] == "application/json"
    body: dict[str, Any] = response.json()
    if route == MESSAGES:
        assert body["type"] == "error"
        assert body["error"].keys() == {"type", "message"}
    else:
        assert body["error"].keys() >= {"message", "type", "param", "code"}
    error: dict[str, Any] = body["error"]
    return error


def nested(levels: int) -> bytes:
    return b'{"model": "stackspot", "messages": ' + b"[" * levels + b"]" * levels + b"}"


WRONG_BODIES: dict[str, tuple[bytes, dict[str, str], int]] = {
    "nothing": (b"", {}, 400),
    "a list": (b"[]", {}, 400),
    "a text": (b'"stackspot"', {}, 400),
    "no JSON": (b'{"model": ', {}, 400),
    "not a number": (b'{"model": "stackspot", "temperature": NaN}', {}, 400),
    "a name twice": (b'{"model": "stackspot", "model": "gpt-4o"}', {}, 400),
    "a byte order mark": (b'\xef\xbb\xbf{"model": "stackspot"}', {}, 400),
    "Latin-1": ('{"model": "stackspot", "user": "José"}'.encode("latin-1"), {}, 400),
    "UTF-16": ('{"model": "stackspot"}'.encode("utf-16"), {}, 400),
    "a form": (b"model=stackspot&messages=hi", {"content-type": "application/x-www-form-urlencoded"}, 400),
    "10,000 levels": (nested(10_000), {}, 400),
    "no gzip": (b"{}", {"content-encoding": "gzip"}, 400),
    "brotli": (b"{}", {"content-encoding": "br"}, 415),
    "too many bytes": (b'{"model": "' + b"x" * 21 * MB + b'"}', {}, 413),
    "a bomb": (gzip.compress(b" " * 50 * MB), {"content-encoding": "gzip"}, 413),
}


@pytest.mark.parametrize("name", WRONG_BODIES)
@pytest.mark.parametrize("route", ROUTES)
def test_a_wrong_body_gets_one_clear_error(caller: Caller, simulator: Simulator, route: str, name: str) -> None:
    content, headers, status = WRONG_BODIES[name]
    response = caller.post(PATHS[route], content=content, headers={"content-type": "application/json"} | headers)
    assert response.status_code == status, response.text
    assert len(error_of(route, response)["message"]) > 20
    assert simulator.requests() == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("route", ROUTES)
def test_a_compressed_body_is_answered(caller: Caller, route: str, encoding: str) -> None:
    plain = json.dumps(request_body(route)).encode()
    content = gzip.compress(plain) if encoding == "gzip" else zlib.compress(plain)
    assert caller.post(PATHS[route], content=content, headers={"content-encoding": encoding}).status_code == 200


def test_json_is_taken_for_json_whatever_its_type_says(caller: Caller) -> None:
    """curl says that it sends a form unless it is told otherwise."""
    content = json.dumps(request_body(CHAT))
    for kind in ("application/x-www-form-urlencoded", "text/plain", "application/json; charset=utf-8"):
        assert caller.post(PATHS[CHAT], content=content, headers={"content-type": kind}).status_code == 200


def test_too_large_a_body_is_refused_before_it_is_sent(caller: Caller) -> None:
    address = urlsplit(caller.server.url)
    head = f"POST {PATHS[CHAT]} HTTP/1.1\r\nHost: x\r\nContent-Length: {100 * MB}\r\n\r\n"
    with socket.create_connection((address.hostname or "", address.port or 0), 20) as connection:
        connection.sendall(head.encode() + b"{")
        answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    assert answer.startswith("HTTP/1.1 413 ")
    assert "STACKSPOT_MAX_BODY_MB" in answer


def test_a_body_without_a_declared_length_ends_at_the_limit(caller: Caller) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b'{"model": "'
        while sent < 400:
            sent += 1
            yield b"x" * MB

    try:
        response = caller.http.post(PATHS[CHAT], content=endless())
        assert response.status_code == 413
    except httpx.TransportError:  # the connection was closed on a client that does not listen while it sends
        assert sent < 400


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/chat/completions", 200),
        ("/chat/completions", 200),
        ("/v1/chat/completions/", 200),
        ("/engines/stackspot/chat/completions", 200),
        ("/openai/deployments/stackspot/chat/completions?api-version=2024-10-21", 200),
        ("/openai/deployments/gpt-4o/chat/completions", 400),
        ("/openai/deployments/stackspot/audio/speech", 404),
        ("/v1/responses/compact", 404),
        ("/openai/v1/files", 404),
    ],
)
def test_paths(caller: Caller, path: str, status: int) -> None:
    response = caller.post(path, json=request_body(CHAT))
    assert response.status_code == status, response.text
    if status >= 400:
        error_of(CHAT, response)


@pytest.mark.parametrize(
    "path", ["/models/stackspot:generateContent", "/v1beta/models/stackspot:streamGenerateContent"]
)
def test_geminis_api_is_refused_in_its_own_shape(caller: Caller, simulator: Simulator, path: str) -> None:
    response = caller.post(path, json={"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]})
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["status"]) == (404, 404, "NOT_FOUND")
    assert "does not speak Gemini's API" in error["message"]
    assert simulator.requests("/v1/agent/") == []


@pytest.mark.parametrize("path", ["/v1/responses/resp_1", "/responses/resp_1", "/v1/responses/resp_1/input_items"])
def test_a_stored_response_is_reported_not_to_be_there(caller: Caller, path: str) -> None:
    for method in ("GET", "DELETE"):
        response = caller.http.request(method, path)
        assert response.status_code == 400
        assert "`store: false`" in error_of(RESPONSES, response)["message"]


def test_a_completion_with_messages_says_where_to(caller: Caller) -> None:
    response = caller.post(PATHS[COMPLETIONS], json=request_body(CHAT))
    assert response.status_code == 400
    assert "/v1/chat/completions" in error_of(COMPLETIONS, response)["message"]


@pytest.mark.parametrize("route", ROUTES)
def test_a_wrong_time_limit_is_reported(caller: Caller, route: str) -> None:
    for extra in ({"headers": {"x-litellm-timeout": "abc"}}, {"timeout": "abc"}):
        reply = caller.ask(route, **extra)
        assert reply.status == 400
        assert "timeout" in reply.raw
    assert caller.ask(route, headers={"x-litellm-timeout": "30"}).status == 200


CLOSED_TO_STRANGERS = (
    *("/", "/docs", "/redoc", "/openapi.json", "/routes", "/config/yaml", "/swagger/swagger-ui.css"),
    *("/public/litellm_model_cost_map", "/public/model_hub"),
)


def test_strangers_learn_neither_routes_nor_version(caller: Caller) -> None:
    with httpx.Client(base_url=caller.server.url, timeout=60, trust_env=False, verify=WITHOUT_TLS) as stranger:
        for path in CLOSED_TO_STRANGERS:
            for headers in ({}, {"authorization": "Bearer sk-made-up"}):
                assert stranger.get(path, headers=headers).status_code == 401, path
        for path in ("/robots.txt", "/test", "/mcp", "/sso/../openapi.json"):
            assert stranger.get(path).status_code in (401, 404), path
        for path in ("/health/liveliness", "/health/readiness", "/ui/", "/v1/models"):
            response = stranger.get(path)
            assert not {"x-litellm-version", "server"} & {*response.headers}
            assert "1.108" not in response.text
        assert "db" in stranger.get("/health/readiness").json()
    assert caller.http.get("/openapi.json").status_code == 200


def test_a_client_learns_when_to_come_again(caller: Caller, simulator: Simulator) -> None:
    simulator.faults(status=429, retry_after="3600")
    reply = caller.ask(CHAT)
    assert reply.status == 429
    assert reply.headers["retry-after"] == reply.headers["llm_provider-retry-after"]


def many(count: int) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[at % 2], "content": "hello there"} for at in range(count - 1)] + [
        {"role": "user", "content": "x"}
    ]


def tool(route: str, at: int, properties: int = 1) -> dict[str, Any]:
    schema = {"type": "object", "properties": {f"p{number}": {"type": "string"} for number in range(properties)}}
    named = {"name": f"t{at}", "description": "d"}
    match route:
        case "messages":
            return {**named, "input_schema": schema}
        case "responses":
            return {"type": "function", **named, "parameters": schema}
        case _:
            return {"type": "function", "function": {**named, "parameters": schema}}


@pytest.fixture(scope="module")
def small_gateway(
    account: Account, simulator_server: Server, logs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Low limits, and the callback under its former name."""
    config = tmp_path_factory.mktemp("small") / "litellm_config.yaml"
    text = (ROOT / "litellm_config.yaml").read_text()
    assert "custom_handlers.request_guard.request_guard" in text
    config.write_text(
        text.replace("custom_handlers.request_guard.request_guard", "custom_handlers.request_gate.request_gate")
    )
    environ = {
        **account.for_gateway(simulator_server.url),
        "STACKSPOT_MAX_BODY_MB": "1",
        "STACKSPOT_MAX_MESSAGES": "3",
        "STACKSPOT_MAX_TOOLS": "2",
        "STACKSPOT_MAX_JSON_VALUES": "100",
        "STACKSPOT_MAX_JSON_DEPTH": "10",
    }
    with running_gateway(environ, logs / "small-gateway.log", config=config) as server:
        yield server


@pytest.mark.parametrize(
    ("extra", "status", "variable"),
    [
        ({}, 200, ""),
        ({"user": "x" * MB}, 413, "STACKSPOT_MAX_BODY_MB"),
        ({"messages": many(4)}, 400, "STACKSPOT_MAX_MESSAGES"),
        ({"tools": [tool(CHAT, at) for at in range(3)]}, 400, "STACKSPOT_MAX_TOOLS"),
        ({"stop": ["x"] * 100}, 400, "STACKSPOT_MAX_JSON_VALUES"),
        ({"tools": [[[[[[[[[[[]]]]]]]]]]]}, 400, "STACKSPOT_MAX_JSON_DEPTH"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_limits_are_settings(
    small_gateway: Server, simulator: Simulator, extra: dict[str, Any], status: int, variable: str
) -> None:
    with httpx.Client(base_url=small_gateway.url, timeout=60, trust_env=False, verify=WITHOUT_TLS) as http:
        http.headers["authorization"] = f"Bearer {small_gateway.key}"
        reply = read(CHAT, http.post(PATHS[CHAT], json=request_body(CHAT) | extra))
        assert reply.status == status
        assert variable in reply.raw
        assert http.get("/openai/v1/files").status_code == 404


def test_it_does_not_start_without_its_guard(account: Account, simulator_server: Server, logs: Path) -> None:
    environ = account.for_gateway(simulator_server.url) | {
        "LITELLM_WORKER_STARTUP_HOOKS": "tests.gateway.litellm_surface:change_app",
        "LITELLM_SALT_KEY": secrets.token_hex(8),
    }
    log = logs / "no-guard.log"
    with pytest.raises(StartError), running_gateway(environ, log):
        pass
    assert log.read_text().rstrip().endswith("starts its app in another way than 1.108 did.")
    assert "Traceback" not in log.read_text()


def test_the_public_port_shows_no_metrics(caller: Caller) -> None:
    """They have a port of their own; here LiteLLM would show them to every key."""
    for path in ("/metrics", "/metrics/"):
        headers = {"Authorization": f"Bearer {caller.server.key}"}
        answer = httpx.get(caller.server.url + path, headers=headers, timeout=30, trust_env=False, verify=WITHOUT_TLS)
        assert answer.status_code == 404, path
        assert "stackspot_" not in answer.text
