"""When the caller goes away, the connection to StackSpot closes at once.

StackSpot is silent for a minute in each of these tests, so a connection that is only closed when it gets an answer, or
when its time is up, stays open for longer than the journal is waited for.
"""

import json
import socket
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from simulator.client import Simulator
from tests.gateway.calling import CHAT, PATHS, ROUTES, Caller, request_body

SILENCES: dict[str, dict[str, Any]] = {
    "before the status": {"header_delay": 60},
    "before the first text": {"first_byte_delay": 60},
    "after the first text": {"stall_after": 1},
    "while only empty deltas come": {"endless_empties": True},
}


def send(caller: Caller, route: str, **fields: Any) -> socket.socket:
    """A request, on a connection that the test can close whenever it likes."""
    address = urlsplit(caller.server.url)
    body = json.dumps(request_body(route) | fields).encode()
    head = [
        f"POST {PATHS[route]} HTTP/1.1",
        f"Host: {address.netloc}",
        f"Authorization: Bearer {caller.server.key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    connection = socket.create_connection((address.hostname or "", address.port or 0), 10)
    connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)
    return connection


def leave_once_asked(caller: Caller, simulator: Simulator, path: str, route: str, **fields: Any) -> dict[str, Any]:
    """Sends a request, closes the connection when StackSpot has it, and returns StackSpot's record of it."""
    with closing(send(caller, route, **fields)) as connection:
        simulator.wait_for(lambda records: len(records) == 1, path)
        if fields.get("stream") and simulator.requests(path)[0]["deltas"]:
            assert connection.recv(65536), "the answer has begun"
    (record,) = simulator.wait_for(lambda records: records[0]["client_left"], path)
    return record


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("silence", SILENCES)
def test_the_upstream_connection_closes(caller: Caller, simulator: Simulator, silence: str, stream: bool) -> None:
    caller.ask()
    simulator.clear()
    simulator.faults(**SILENCES[silence])
    record = leave_once_asked(caller, simulator, "/v1/agent/", CHAT, stream=stream)
    assert not record["complete"]
    assert simulator.state()["open_streams"] == 0
    assert len(simulator.requests()) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("route", ROUTES)
def test_it_closes_on_every_route(caller: Caller, simulator: Simulator, route: str, stream: bool) -> None:
    caller.ask()
    simulator.clear()
    simulator.faults(stall_after=1)
    assert leave_once_asked(caller, simulator, "/v1/agent/", route, stream=stream)["client_left"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_it_closes_with_the_key_api(key_caller: Caller, simulator: Simulator, stream: bool) -> None:
    simulator.faults(target="key", stall_after=1)
    assert leave_once_asked(key_caller, simulator, "/v1/chat/completions", CHAT, stream=stream)["client_left"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_the_gateway_goes_on_for_others(caller: Caller, simulator: Simulator, stream: bool) -> None:
    simulator.faults({"stall_after": 1, "times": 1})
    leave_once_asked(caller, simulator, "/v1/agent/", CHAT, stream=stream)
    assert caller.ask(stream=stream).finish == "stop"


def test_nobody_waits_for_a_retry_any_more(caller: Caller, simulator: Simulator) -> None:
    """The other caller's call, with as many retries, takes longer than the first's next retry would have."""
    simulator.faults(status=500)
    with closing(send(caller, CHAT)):
        simulator.wait_for(lambda records: len(records) == 1, "/v1/agent/")
    assert caller.ask(model="stackspot-code", timeout=5).status == 502
    paths = [record["path"] for record in simulator.requests("/v1/agent/")]
    assert len(set(paths)) == 2
    assert paths.count(paths[0]) == 1
