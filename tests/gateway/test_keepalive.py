"""While StackSpot thinks, streams show signs of life, and an error after one has the surface's shape.

And between two requests the gateway keeps a connection for longer than clients do.
"""

import http.client
import json
import select
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import anthropic
import openai
import pytest
import yaml

from simulator.client import Simulator
from tests.gateway.calling import CHAT, COMPLETIONS, MESSAGES, PATHS, RESPONSES, ROUTES, Caller, request_body
from tests.gateway.conftest import ATTENTIVE
from tests.harness import ROOT
from tests.sampling import thorough

PING = {MESSAGES: b'event: ping\ndata: {"type": "ping"}\n\n'}
every_route = pytest.mark.parametrize("route", ROUTES)


def pieces(caller: Caller, route: str, model: str = ATTENTIVE, **fields: Any) -> Iterator[bytes]:
    """The events of a stream, as they come."""
    body = request_body(route, model) | {"stream": True} | fields
    with caller.http.stream("POST", PATHS[route], json=body) as response:
        assert response.status_code == 200
        rest = b""
        for piece in response.iter_raw():
            *events, rest = (rest + piece).split(b"\n\n")
            yield from (event + b"\n\n" for event in events)
        assert rest == b""


def is_ping(route: str, event: bytes) -> bool:
    return event == PING.get(route, b": ping\n\n")


@every_route
def test_before_the_first_text(extra_caller: Caller, simulator: Simulator, route: str) -> None:
    simulator.faults(first_byte_delay=2.5)
    simulator.answer({"pieces": ["Thought about it."]})
    events = list(pieces(extra_caller, route))
    begun = next(at for at, event in enumerate(events) if b"Thought" in event)
    assert sum(is_ping(route, event) for event in events[:begun]) >= 1
    assert not any(is_ping(route, event) for event in events[begun:])


@every_route
def test_between_two_pieces(extra_caller: Caller, simulator: Simulator, route: str) -> None:
    simulator.faults(delta_delay=2.5)
    simulator.answer({"pieces": ["One", " two"]})
    events = list(pieces(extra_caller, route))
    first, second = (next(at for at, event in enumerate(events) if word in event) for word in (b"One", b"two"))
    assert any(is_ping(route, event) for event in events[first:second])


@every_route
def test_an_error_after_a_sign_of_life(extra_caller: Caller, simulator: Simulator, route: str) -> None:
    """The status is gone, so it is an event, as that surface's clients know it; its words are those of the 502."""
    simulator.faults(header_delay=2.5, status=403)
    *before, last = [event for event in pieces(extra_caller, route) if event != b"data: [DONE]\n\n"]
    assert any(is_ping(route, event) for event in before)
    told = json.loads(last.partition(b"data: ")[2])
    error = told["response"]["error"] if route == RESPONSES else told["error"]
    assert "not shared with the gateway's client key" in error["message"]
    assert "Traceback" not in error["message"]
    if route in (CHAT, COMPLETIONS):
        assert (error["type"], error["code"]) == ("internal_server_error", "502")
    elif route == MESSAGES:
        assert last.startswith(b"event: error\n")
        assert (told["type"], error["type"]) == ("error", "api_error")
    else:
        assert (told["type"], error["code"]) == ("response.failed", "server_error")


@pytest.mark.parametrize("route", [CHAT, COMPLETIONS])
def test_an_early_error_keeps_its_status(extra_caller: Caller, simulator: Simulator, route: str) -> None:
    simulator.faults(status=403)
    reply = extra_caller.ask(route, ATTENTIVE, stream=True)
    assert (reply.status, reply.streamed) == (502, False)


@every_route
def test_an_error_in_the_middle_has_its_type(extra_caller: Caller, simulator: Simulator, route: str) -> None:
    simulator.faults(error_after=2, delta_delay=0.1)
    simulator.answer({"pieces": ["one", " two"]})
    failure = extra_caller.ask(route, stream=True).failure
    assert failure
    if route in (CHAT, COMPLETIONS):
        assert failure.type == "internal_server_error"


def test_sdks_do_not_mind(extra_caller: Caller, simulator: Simulator) -> None:
    simulator.faults(first_byte_delay=2.5)
    simulator.rule("Thought about it.", pattern="(?s).*")
    server = extra_caller.server
    with openai.OpenAI(base_url=f"{server.url}/v1", api_key=server.key, max_retries=0) as client:
        chunks = client.chat.completions.create(
            model=ATTENTIVE, messages=[{"role": "user", "content": "Hi"}], stream=True
        )
        assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Thought about it."
        with client.responses.stream(model=ATTENTIVE, input="Hi") as stream:
            assert stream.get_final_response().output_text == "Thought about it."
    with (
        closing(anthropic.Anthropic(base_url=server.url, api_key=server.key, max_retries=0)) as claude,
        claude.messages.stream(model=ATTENTIVE, max_tokens=100, messages=[{"role": "user", "content": "Hi"}]) as answer,
    ):
        assert answer.get_final_text() == "Thought about it."


@thorough
def test_the_repository_s_configuration_gives_one_after_15_seconds(caller: Caller, simulator: Simulator) -> None:
    settings = yaml.safe_load((ROOT / "litellm_config.yaml").read_text())["litellm_settings"]
    assert {settings[f"{kind}_ping_interval_seconds"] for kind in ("sse_keepalive", "anthropic_sse")} == {15}
    simulator.faults(first_byte_delay=17)
    with ThreadPoolExecutor() as pool:
        streams = pool.map(lambda route: list(pieces(caller, route, "stackspot")), ROUTES)
        for route, events in zip(ROUTES, streams, strict=True):
            assert 1 <= sum(is_ping(route, event) for event in events) <= 2, route


@thorough
def test_a_connection_outlasts_the_pools_of_clients(caller: Caller) -> None:
    """Those of the SDKs keep one for 5 s. If it were closed by then, a request might be lost."""
    address = urlsplit(caller.server.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
    connection.connect()
    own = connection.sock
    for _ in range(2):
        connection.request("GET", "/health/liveliness")
        assert connection.getresponse().read()
        assert connection.sock is own
        time.sleep(6.5)
    assert not select.select([own], [], [], 0)[0], "the server has closed it"
    connection.close()
