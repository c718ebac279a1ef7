"""STACKSPOT_ACCESS_LOG: one line for each request of a model, whatever becomes of it."""

import re
import secrets
from typing import Any

import httpx
import pytest

from custom_handlers.core.errors import error_outcomes
from simulator.client import Simulator
from tests.developers import hire, manage
from tests.gateway.administration.observing import Log
from tests.gateway.calling import CHAT, PATHS, ROUTES, request_body
from tests.harness import WITHOUT_TLS, Server

every_way = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


def ask(server: Server, key: str, route: str = CHAT, **fields: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60, trust_env=False, verify=WITHOUT_TLS) as client:
        return client.post(PATHS[route], json=request_body(route) | fields)


def lines(log: Log) -> list[dict[str, Any]]:
    return [record for record in log.records() if record.get("component") == "stackspot_access"]


def the_line(log: Log) -> dict[str, Any]:
    log.wait(lambda log: bool(lines(log)))
    [record] = lines(log)
    assert record["level"] == "INFO"
    return record


@every_way
@pytest.mark.parametrize("route", ROUTES)
def test_an_answer(observed: Server, route: str, stream: bool) -> None:
    developer = hire(observed)
    log = Log(observed)
    assert ask(observed, developer.key, route, stream=stream).status_code == 200
    record = the_line(log)
    found = record["request"]
    assert found["key"] == f"{developer.name}-laptop"
    assert found["model"].startswith("stackspot-ai-")
    assert (found["outcome"], found["status"], found["surface"]) == ("answered", 200, route)
    assert found["input"] > 0
    assert found["output"] > 0
    assert 0 <= found["waited"] <= found["seconds"] < 60
    assert record["message"] == " ".join(f"{name}={value}" for name, value in found.items())


@every_way
@pytest.mark.parametrize("route", ROUTES)
def test_a_failure_of_stackspot(observed: Server, simulator: Simulator, route: str, stream: bool) -> None:
    simulator.faults(status=429, retry_after="3000")
    developer = hire(observed)
    log = Log(observed)
    ask(observed, developer.key, route, stream=stream)
    found = the_line(log)["request"]
    assert (found["key"], found["outcome"]) == (f"{developer.name}-laptop", "rate_limit")


@pytest.mark.parametrize("route", ROUTES)
def test_an_answer_that_breaks_off(observed: Server, simulator: Simulator, route: str) -> None:
    simulator.faults(break_after=2)
    developer = hire(observed)
    log = Log(observed)
    assert ask(observed, developer.key, route, stream=True).status_code == 200
    found = the_line(log)["request"]
    assert found["outcome"] in error_outcomes()
    assert found["output"] > 0
    assert "lost" not in found


def test_requests_that_no_handler_has_seen(observed: Server) -> None:
    poor, developer = hire(observed, rpm_limit=0), hire(observed)
    for key, fields, alias, outcome, status in (
        ("", {}, "-", "authentication", 401),
        ("sk-nobodys-key", {}, "-", "authentication", 401),
        (poor.key, {}, f"{poor.name}-laptop", "rate_limit", 429),
        (developer.key, {"stream": "yes"}, "-", "bad_request", 400),
        (observed.key, {"model": "none"}, "-", "bad_request", 400),
    ):
        log = Log(observed)
        assert ask(observed, key, **fields).status_code == status
        found = the_line(log)["request"]
        assert (found["key"], found["outcome"], found["status"]) == (alias, outcome, status)
        assert (found["input"], found["output"]) == (0, 0)


def test_a_caller_who_leaves(observed: Server, simulator: Simulator) -> None:
    simulator.faults(first_byte_delay=20)
    developer = hire(observed)
    log = Log(observed)
    with (
        httpx.Client(
            base_url=observed.url, headers={"Authorization": f"Bearer {developer.key}"}, verify=WITHOUT_TLS
        ) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.post(PATHS[CHAT], json=request_body(CHAT), timeout=2)
    found = the_line(log)["request"]
    assert (found["key"], found["outcome"]) == (f"{developer.name}-laptop", "left")


def test_what_is_no_request_of_a_model_has_no_line(observed: Server) -> None:
    log = Log(observed)
    developer = hire(observed)
    headers = {"Authorization": f"Bearer {developer.key}"}
    assert httpx.get(f"{observed.url}/v1/models", headers=headers, verify=WITHOUT_TLS).status_code == 200
    assert ask(observed, developer.key).status_code == 200
    the_line(log)


def test_nobody_writes_lines_of_their_own(observed: Server) -> None:
    forged = f'x {{"component": "forged"}} key=admin {secrets.token_hex(3)}'
    made = manage(observed, "/key/generate", key_alias=forged)
    made.raise_for_status()
    key = made.json()["key"]
    log = Log(observed)
    ask(observed, key, model=f"\n{forged} {key}", user=forged)
    record = the_line(log)
    assert "\n" not in record["message"]
    assert re.fullmatch(r'key="[^"{}]*" model="[^"{}]*" outcome=\w+ status=\d+ .*', record["message"])
    assert "component" in record
    assert record["component"] == "stackspot_access"
    assert key.removeprefix("sk-") not in record["message"]
    assert not [found for found in log.records() if found.get("component") == "forged"]
