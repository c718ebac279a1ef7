"""What comes instead of an answer (reference, section 7)."""

import socket
import time
from typing import Any

import httpx
import pytest

from simulator.client import Simulator
from tests.unit.simulator.calling import AGENT, OTHER_AGENT, Caller


@pytest.mark.parametrize(
    ("switches", "status", "content_type", "body"),
    [
        ({"status": 500}, 500, "application/json", '{"message": "Internal Server Error"}'),
        ({"status": 403}, 403, None, ""),
        ({"status": 418, "body": {"secret": "x"}}, 418, "application/json", '{"secret": "x"}'),
        ({"status": 500, "body": "boom"}, 500, "text/plain", "boom"),
        ({"status": 500, "body": "boom", "content_type": "application/json"}, 500, "application/json", "boom"),
        ({"status": 400, "body": []}, 400, "application/json", "[]"),
    ],
)
def test_any_status_with_any_body(
    simulator: Simulator, caller: Caller, switches: dict[str, Any], status: int, content_type: str | None, body: str
) -> None:
    simulator.faults(**switches)
    response = caller.chat(streaming=True)
    assert (response.status_code, response.headers.get("content-type"), response.text) == (status, content_type, body)


def test_html_pages(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(html=True)
    response = caller.chat()
    assert (response.status_code, response.headers["content-type"]) == (502, "text/html")
    assert "<h1>502 Bad Gateway</h1>" in response.text
    simulator.faults(html=True, status=404)
    assert caller.chat().status_code == 404


def test_headers_are_added_to_everything(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(headers={"X-Request-Id": "abc"})
    assert caller.chat().headers["x-request-id"] == "abc"
    assert caller.stream().headers["x-request-id"] == "abc"
    simulator.faults(headers={"X-Request-Id": "abc"}, status=500)
    assert caller.chat().headers["x-request-id"] == "abc"


def test_redirects(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(redirect="http://elsewhere.invalid/login")
    response = caller.chat()
    assert (response.status_code, response.headers["location"]) == (302, "http://elsewhere.invalid/login")
    simulator.faults(redirect="http://elsewhere.invalid/login", status=307)
    assert caller.chat().status_code == 307


def test_slow_headers(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(header_delay=0.5)
    with pytest.raises(httpx.ReadTimeout):
        caller.chat(timeout=0.2)
    started = time.monotonic()
    assert caller.chat().status_code == 200
    assert time.monotonic() - started >= 0.5


@pytest.mark.parametrize(("way", "error"), [("close", httpx.RemoteProtocolError), ("reset", httpx.ReadError)])
def test_connections_dropped_before_an_answer(
    simulator: Simulator, caller: Caller, way: str, error: type[Exception]
) -> None:
    simulator.faults(disconnect=way)
    with pytest.raises(error):
        caller.chat()
    record = simulator.requests("chat")[0]
    assert (record["status"], record["complete"], record["client_left"]) == (None, False, False)


def test_connections_refused(simulator: Simulator, caller: Caller) -> None:
    caller.chat()
    port = int(simulator.url.rpartition(":")[2])
    simulator.outage(0.8)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1)
    with pytest.raises(httpx.ConnectError):
        caller.chat()
    time.sleep(1)
    assert caller.chat().status_code == 200


def test_an_agent_that_is_not_shared(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(target=AGENT, not_shared=True)
    response = caller.chat()
    assert (response.status_code, response.content) == (403, b"")
    assert caller.chat(agent=OTHER_AGENT).status_code == 200


def test_the_window_of_requests(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(rate_limit=2, rate_window=0.6)
    assert caller.chat().status_code == 200
    assert caller.chat(agent=OTHER_AGENT).status_code == 200
    response = caller.chat()
    assert response.status_code == 429
    assert response.json()["type"] == "TooManyRequests"
    assert response.json()["code"] == "INFERENCE_3008_CHAT_RATE_LIMIT_EXCEEDED"
    assert "retry-after" not in response.headers
    time.sleep(0.7)
    assert caller.chat().status_code == 200


def test_the_window_is_each_accounts_own(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(rate_limit=1)
    simulator.add_account(caller.account.realm, "another", "key")
    another = type(caller.account)(caller.account.realm, "another", "key", "")
    assert caller.chat().status_code == 200
    assert caller.chat().status_code == 429
    assert Caller(caller.url, another, caller.http).chat().status_code == 200


def test_retry_after(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(rate_limit=0, retry_after="7")
    assert caller.chat().headers["retry-after"] == "7"
    simulator.faults(status=503, retry_after="7")
    assert caller.chat().headers["retry-after"] == "7"


def test_a_prompt_that_is_too_long(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(token_limit=10)
    assert caller.chat("x" * 40).status_code == 200
    response = caller.chat("x" * 41)
    assert response.status_code == 400
    error = response.json()
    assert error.keys() == {"type", "code", "details"}
    assert error["code"] == "INFERENCE_6001_LLM_MODEL_BAD_REQUEST"
    assert "limit of 10 tokens" in error["details"]
    assert "resulted in 11 tokens" in error["details"]


def test_unknown_fields_can_be_refused(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(refuse_unknown_fields=True)
    assert caller.chat(return_ks_in_response=True).status_code == 200
    response = caller.chat(temperature=1)
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "temperature"]
