"""A request that fails is one line in the log; a fault of the gateway keeps its traceback."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx
import pytest

from simulator.client import Simulator
from tests.developers import hire
from tests.gateway.administration.observing import FAULT, FAULTY_USER, Log, answered
from tests.gateway.calling import CHAT, PATHS, ROUTES, request_body
from tests.harness import WITHOUT_TLS, Server

every_way = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


def ask(server: Server, key: str, route: str = CHAT, **fields: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60, trust_env=False, verify=WITHOUT_TLS) as client:
        return client.post(PATHS[route], json=request_body(route) | fields)


class Refusal(NamedTuple):
    """A request that is refused: its status, the key that sends it ("own": a developer's), its fields, the faults."""

    status: int
    key: str = "own"
    fields: Mapping[str, Any] = {}
    limits: Mapping[str, Any] = {}
    faults: Mapping[str, Any] = {}
    lines: int = 1


REFUSALS = {
    "no key": Refusal(401, ""),
    "a wrong key": Refusal(401, "sk-nobodys-key-at-all"),
    "no key's form": Refusal(401, "nobodys-key"),
    "a model of others": Refusal(403, limits={"models": ["stackspot-code"]}),
    "an unknown model": Refusal(400, "master", {"model": "none"}),
    "a bad body, for the guard": Refusal(400, fields={"stream": "yes"}, lines=0),
    "too long": Refusal(400, fields={"messages": [{"role": "user", "content": "word " * 400_000}]}),
    "the key's limit": Refusal(429, limits={"rpm_limit": 0}),
    "the account's limit": Refusal(429, faults={"status": 429, "retry_after": "3000"}),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_one_line(observed: Server, simulator: Simulator, refusal: Refusal) -> None:
    key = {"own": hire(observed, **refusal.limits).key, "master": observed.key}.get(refusal.key, refusal.key)
    if refusal.faults:
        simulator.faults(**refusal.faults)
    log = Log(observed)
    response = ask(observed, key, **refusal.fields)
    assert response.status_code == refusal.status, response.text
    log.wait(answered(1))
    assert "Traceback" not in log.text()
    told = log.failures()
    assert len(told) == refusal.lines, told
    for record in told:
        assert "\n" not in record["message"]
        assert "stacktrace" not in record


@every_way
@pytest.mark.parametrize("route", ROUTES)
def test_a_failure_of_stackspot_is_one_line(observed: Server, simulator: Simulator, route: str, stream: bool) -> None:
    developer = hire(observed)
    log = Log(observed)
    simulator.faults(empty_answer=True)
    ask(observed, developer.key, route, stream=stream)
    log.wait(answered(1))
    assert "Traceback" not in log.text()
    told = [record["message"] for record in log.failures() if "StackSpot's answer is empty" in record["message"]]
    assert len(told) == 1, told


@every_way
@pytest.mark.parametrize("route", ROUTES)
def test_a_fault_of_the_gateway_has_its_traceback(observed: Server, route: str, stream: bool) -> None:
    log = Log(observed)
    response = ask(observed, hire(observed).key, route, stream=stream, user=FAULTY_USER)
    assert response.status_code == 500 or "error" in response.text
    log.wait(lambda log: f"LookupError: {FAULT}" in log.text())
    assert "Traceback (most recent call last)" in log.text()
