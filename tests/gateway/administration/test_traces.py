"""Traces: client, gateway and StackSpot's call in one, and no word of any content in anything that is exported."""

import secrets
from typing import Any

import httpx
import pytest

from simulator.client import Simulator
from tests.developers import hire
from tests.gateway.administration.collector import Collector, Seen
from tests.gateway.calling import CHAT, PATHS, ROUTES, read, request_body
from tests.harness import WITHOUT_TLS, Account, Server

ROOT_SPAN, CALL = "Received Proxy Server Request", "StackSpot agents"
PROMPT, ANSWER, UPSTREAM = "xylophone-of-the-prompt", "zeppelin-of-the-answer", "quixotic-of-stackspot"
OWN = "kumquat-of-the-metadata"
every_way = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


def ask(server: Server, key: str, route: str = CHAT, **fields: Any) -> tuple[str, str, httpx.Response]:
    """The trace and the span of a client that traces, and its answer."""
    trace, span = secrets.token_hex(16), secrets.token_hex(8)
    headers = {
        "Authorization": f"Bearer {key}",
        "traceparent": f"00-{trace}-{span}-01",
        "tracestate": f"vendor={OWN}",
        "baggage": f"word={OWN}",
    }
    messages = {"messages": [{"role": "user", "content": PROMPT}]}
    texts: dict[str, dict[str, Any]] = {
        CHAT: messages,
        "messages": messages,
        "completions": {"prompt": PROMPT},
        "responses": {"input": PROMPT, "instructions": PROMPT},
    }
    body = request_body(route) | texts[route]
    with httpx.Client(base_url=server.url, headers=headers, timeout=60, trust_env=False, verify=WITHOUT_TLS) as client:
        return trace, span, client.post(PATHS[route], json=body | fields)


def named(spans: list[Seen], name: str) -> list[Seen]:
    return [span for span in spans if span.name == name]


def ended(spans: list[Seen]) -> bool:
    return bool(named(spans, ROOT_SPAN))


def leaks(collector: Collector, *words: str) -> list[str]:
    return [word for word in words if any(word.encode() in raw for raw in collector.raw)]


@pytest.fixture
def words(account: Account, simulator_server: Server, observed: Server) -> tuple[str, ...]:
    """What may not be in any export."""
    return (
        *(PROMPT, ANSWER, UPSTREAM, OWN),
        *(account.client_secret, account.client_id, account.api_key, observed.key, "eyJhbGciOi"),
        *(simulator_server.url.removeprefix("http://"), "Traceback", "site-packages"),
    )


@every_way
@pytest.mark.parametrize("route", ROUTES)
def test_one_trace_without_a_word(
    observed: Server, simulator: Simulator, collector: Collector, words: tuple[str, ...], route: str, stream: bool
) -> None:
    developer = hire(observed)
    simulator.answer(ANSWER)
    trace, client_span, response = ask(
        observed, developer.key, route, stream=stream, user=OWN, metadata={"generation_name": OWN, "trace_name": OWN}
    )
    assert response.status_code == 200
    assert read(route, response).text == ANSWER
    spans = collector.wait(trace, lambda spans: ended(spans) and bool(named(spans, CALL)))
    [received] = named(spans, ROOT_SPAN)
    [call] = named(spans, CALL)
    assert received.parent == client_span
    assert call.parent == received.id
    assert call.attributes == {"stackspot.outcome": "answered"}
    [sent] = simulator.requests("/chat")
    assert "traceparent" not in {name.lower() for name in sent["headers"]}
    assert leaks(collector, *words, developer.key) == []
    alias = "metadata.user_api_key_alias"
    assert f"{developer.name}-laptop" in {span.attributes.get(alias) for span in spans}


@every_way
@pytest.mark.parametrize("route", ROUTES)
def test_an_error_is_told_without_a_word(
    observed: Server, simulator: Simulator, collector: Collector, words: tuple[str, ...], route: str, stream: bool
) -> None:
    developer = hire(observed)
    simulator.faults(status=503, retry_after="3000", body={"message": UPSTREAM})
    trace, _, _ = ask(observed, developer.key, route, stream=stream, metadata={"generation_name": OWN})
    spans = collector.wait(trace, lambda spans: ended(spans) and bool(named(spans, CALL)))
    assert [span.attributes for span in named(spans, CALL)] == [{"stackspot.outcome": "service_unavailable"}]
    assert leaks(collector, *words, developer.key) == []


def test_a_refusal_is_in_the_trace(observed: Server, collector: Collector, words: tuple[str, ...]) -> None:
    developer = hire(observed)
    for key, fields in (
        (f"sk-{OWN}", {}),
        (developer.key, {"model": f"none {developer.key}"}),
        (developer.key, {"messages": [{"role": "user", "content": PROMPT * 100_000}]}),
    ):
        trace, client_span, response = ask(observed, key, **fields)
        assert 400 <= response.status_code < 500, response.text
        spans = collector.wait(trace, ended)
        assert [span.parent for span in named(spans, ROOT_SPAN)] == [client_span]
        assert named(spans, CALL) == []
    assert leaks(collector, *words, developer.key) == []


def test_the_collectors_own_key_is_sent(observed: Server, collector: Collector) -> None:
    trace, _, _ = ask(observed, hire(observed).key)
    collector.wait(trace, ended)
    assert collector.headers[-1]["api-key"] == "of-the-collector"
