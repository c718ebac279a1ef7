"""Every way in which a call can fail, as a client of the gateway sees it (issue A: "Answers, usage, errors")."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest

from simulator.client import Simulator
from tests.gateway.calling import CHAT, COMPLETIONS, MESSAGES, RESPONSES, ROUTES, Caller, Failure, Reply
from tests.gateway.conftest import IMPATIENT, PRIVATE, Decoy, secrets_of
from tests.harness import AGENTS, Account, Server

streamed_and_not = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
every_route = pytest.mark.parametrize("route", ROUTES)


class Case(NamedTuple):
    """What goes wrong at StackSpot, and what its caller is told. `fields` go into the request."""

    faults: dict[str, Any]
    status: int
    told: str
    fields: dict[str, Any] = {}  # noqa: RUF012 - never changed


def inference_error(code: str, details: str = PRIVATE) -> dict[str, Any]:
    return {"type": "SomeError", "code": code, "details": f"{details} {PRIVATE}"}


TOO_LONG = "INFERENCE_6001_LLM_MODEL_BAD_REQUEST"
# A Retry-After that the call cannot wait for, so that it fails at once.
LATER = {"retry_after": "3000"}
SHORT = {"timeout": 0.7}

CASES = {
    "agent not shared": Case({"not_shared": True}, 502, r"not shared with the gateway's client key"),
    "agent unknown": Case({"status": 404, "body": PRIVATE}, 502, r"HTTP 404.*its id is wrong"),
    "token refused": Case({"status": 401, "body": {"message": PRIVATE}}, 502, r"HTTP 401.*check the client"),
    # The gateway remembers the limit, so it is one that no other test comes near.
    "prompt too long": Case(
        {
            "status": 400,
            "body": inference_error(TOO_LONG, "limit of 250000 tokens. Your messages resulted in 250001 tokens"),
        },
        400,
        r"maximum context length is 250000 tokens.* 250001 tokens.*INFERENCE_6001_LLM_MODEL_BAD_REQUEST",
    ),
    "refused by the model's vendor": Case(
        {"status": 400, "body": inference_error(TOO_LONG)},
        400,
        r"refused the request.*INFERENCE_6001_LLM_MODEL_BAD_REQUEST",
    ),
    "unknown refusal": Case({"status": 400, "body": PRIVATE}, 400, r"refused the request"),
    "body refused": Case({"status": 422, "body": {"detail": PRIVATE}}, 400, r"refused the request"),
    "rate limit": Case({"status": 429, **LATER}, 429, r"INFERENCE_3008_CHAT_RATE_LIMIT_EXCEEDED"),
    "overloaded": Case({"status": 503, "body": PRIVATE, **LATER}, 503, r"not available"),
    "unknown status": Case({"status": 418, "body": {"message": PRIVATE}}, 502, r"HTTP 418"),
    "page in place of an answer": Case({"status": 200, "html": True}, 502, r"broke off"),
    "no JSON": Case({"status": 200, "body": PRIVATE}, 502, r"broke off"),
    "nothing in place of an answer": Case({"status": 200, "body": ""}, 502, r"broke off"),
    "null answer": Case({"null_message": True}, 502, r"answer is empty"),
    "null answer, not streamed": Case({"null_message": True, "json_instead": True}, 502, r"content filter"),
    "empty answer": Case({"empty_answer": True}, 502, r"answer is empty"),
    "broken before the first text": Case({"break_after": 0}, 502, r"StackSpot"),
    "error in place of text": Case({"error_after": 0}, 502, r"reported an error"),
    "error event in place of text": Case({"error_after": 0, "error_form": "event"}, 502, r"reported an error"),
    "no status within the caller's time": Case({"header_delay": 60}, 408, r"longer than this call's time limit", SHORT),
    "no text within the caller's time": Case(
        {"first_byte_delay": 60}, 408, r"longer than this call's time limit", SHORT
    ),
    "empty deltas for ever": Case({"endless_empties": True}, 408, r"longer than this call's time limit", SHORT),
}

ERROR_TYPES = {400: "invalid_request_error", 408: "invalid_request_error", 429: "throttling_error"}


def error_type(case: Case) -> str:
    return ERROR_TYPES.get(case.status, "internal_server_error")


def failure_of(reply: Reply, status: int) -> Failure:
    """The failure of a reply that carries `status` where a client looks for it."""
    failure = reply.failure
    assert failure is not None
    assert (reply.status, reply.streamed) == (status, False)
    if reply.route == MESSAGES:
        assert reply.body["type"] == "error"
    else:
        assert failure.code == str(status)
    return failure


@streamed_and_not
@pytest.mark.parametrize("name", CASES)
def test_status_and_message_on_the_first_byte(caller: Caller, simulator: Simulator, name: str, stream: bool) -> None:
    case = CASES[name]
    simulator.faults(**case.faults)
    failure = failure_of(caller.ask(stream=stream, **case.fields), case.status)
    assert failure.type == error_type(case)
    assert re.search(case.told, failure.message, re.DOTALL)


@every_route
@pytest.mark.parametrize(
    "name", ["agent not shared", "prompt too long", "body refused", "rate limit", "null answer", "no JSON"]
)
def test_plain_calls_fail_alike_on_every_route(caller: Caller, simulator: Simulator, name: str, route: str) -> None:
    case = CASES[name]
    simulator.faults(**case.faults)
    failure = failure_of(caller.ask(route, **case.fields), case.status)
    assert re.search(case.told, failure.message, re.DOTALL)
    expected = STREAM_CODES[MESSAGES][case.status] if route == MESSAGES else error_type(case)
    assert failure.type == expected


# What LiteLLM calls an error in a stream of these routes; it has sent the status 200 before it asks the handler.
STREAM_CODES = {
    MESSAGES: {502: "api_error", 400: "invalid_request_error", 429: "rate_limit_error"},
    RESPONSES: {502: "server_error", 400: "invalid_request_error", 429: "rate_limit_exceeded"},
}


@pytest.mark.parametrize("route", STREAM_CODES)
@pytest.mark.parametrize("name", ["agent not shared", "prompt too long", "rate limit", "null answer"])
def test_streams_of_the_other_routes_begin_with_200_and_hold_an_error_event(
    caller: Caller, simulator: Simulator, name: str, route: str
) -> None:
    case = CASES[name]
    simulator.faults(**case.faults)
    reply = caller.ask(route, stream=True, **case.fields)
    failure = reply.failure
    assert failure is not None
    assert (reply.status, reply.finish, reply.text) == (200, None, "")
    assert re.search(case.told, failure.message, re.DOTALL)
    if route == MESSAGES:
        assert (reply.events[-1].name, failure.type) == ("error", STREAM_CODES[route][case.status])
    else:
        code = "context_length_exceeded" if name == "prompt too long" else STREAM_CODES[route][case.status]
        assert (reply.events[-1].name, failure.code) == ("response.failed", code)
        assert reply.events[-1].data["response"]["status"] == "failed"


def test_a_refused_token_is_renewed_once_and_only_once(caller: Caller, simulator: Simulator) -> None:
    caller.ask()
    simulator.clear()
    simulator.faults(status=401)
    assert caller.ask().status == 502
    assert len(simulator.requests("/oidc/")) == 1
    assert len(simulator.requests("/v1/agent/")) == 2


def test_a_token_that_ends_before_its_time_is_nobody_s_trouble(caller: Caller, simulator: Simulator) -> None:
    caller.ask()
    for stream in (False, True):
        simulator.revoke_tokens()
        simulator.clear()
        assert caller.ask(stream=stream).finish == "stop"
        assert [record["status"] for record in simulator.requests("/v1/agent/")] == [401, 200]


def test_refused_credentials_are_reported_with_a_hint_and_pass(caller: Caller, simulator: Simulator) -> None:
    caller.ask()
    refusal = {"error": "invalid_client", "error_description": PRIVATE}
    simulator.faults(status=401, body=refusal, target="token")
    simulator.revoke_tokens()
    for stream in (False, True):
        failure = failure_of(caller.ask(stream=stream), 502)
        for variable in ("STACKSPOT_REALM", "STACKSPOT_CLIENT_ID", "STACKSPOT_CLIENT_SECRET"):
            assert variable in failure.message
    assert len(simulator.requests("/oidc/")) == 1, "the failure is remembered for a few seconds"
    simulator.no_faults()
    wait_until(lambda: caller.ask().status == 200)


def test_redirects_are_not_followed(caller: Caller, simulator: Simulator, decoy: Decoy) -> None:
    caller.ask()
    simulator.clear()
    for status in (301, 302, 307, 308):
        simulator.faults(redirect=f"{decoy.url}/elsewhere", status=status)
        assert "redirect" in failure_of(caller.ask(), 502).message
    assert len(simulator.requests()) == 4


# After two pieces of text. The second is sent a moment later, so that a piece is with the client before it breaks.
BREAKS: dict[str, dict[str, Any]] = {
    "connection closed": {"break_after": 2, "delta_delay": 0.1},
    "no final object": {"final_object": False, "delta_delay": 0.1},
    "error object": {"error_after": 2, "delta_delay": 0.1},
    "error event": {"error_after": 2, "delta_delay": 0.1, "error_form": "event"},
}


@pytest.mark.parametrize("name", BREAKS)
@every_route
def test_a_stream_that_breaks_ends_with_an_error_and_nothing_else(
    caller: Caller, simulator: Simulator, name: str, route: str
) -> None:
    simulator.faults(**BREAKS[name])
    simulator.answer({"pieces": ["one", " two"]})
    reply = caller.ask(route, stream=True)
    failure = reply.failure
    assert failure is not None
    assert reply.status == 200
    assert failure.message.count("StackSpot") == 1
    assert reply.text.startswith("one")
    assert reply.finish is None, "no false stop"
    if route in (CHAT, COMPLETIONS):
        assert (failure.code, reply.done) == ("502", False)


@pytest.mark.parametrize("name", BREAKS)
def test_a_plain_call_that_breaks_is_a_502(caller: Caller, simulator: Simulator, name: str) -> None:
    simulator.faults(**BREAKS[name])
    simulator.answer({"pieces": ["one", " two"]})
    failure_of(caller.ask(), 502)


def test_a_stream_that_stalls_ends_with_a_timeout(caller: Caller, simulator: Simulator) -> None:
    simulator.faults(stall_after=1)
    reply = caller.ask(stream=True, timeout=1.5)
    assert (reply.status, reply.text, reply.finish, reply.done) == (200, "Hello!", None, False)
    assert reply.failure is not None
    assert reply.failure.code == "408"
    assert "longer than this call's time limit" in reply.failure.message
    assert failure_of(caller.ask(timeout=0.7), 408)


@streamed_and_not
def test_the_header_with_a_time_limit_counts_too(caller: Caller, simulator: Simulator, stream: bool) -> None:
    simulator.faults(first_byte_delay=60)
    reply = caller.ask(stream=stream, headers={"x-litellm-timeout": "0.7"})
    assert "longer than this call's time limit" in failure_of(reply, 408).message


@streamed_and_not
@pytest.mark.parametrize(
    ("switches", "said"),
    [
        ({"first_byte_delay": 60}, ""),
        ({"header_delay": 60}, ""),
        ({"endless_empties": True}, ""),
        ({"stall_after": 1}, "Hello!"),
    ],
    ids=["no text", "no status", "no text but empty deltas", "silence after the first text"],
)
def test_silence_of_stackspot_is_a_504(
    key_caller: Caller, simulator: Simulator, switches: dict[str, Any], said: str, stream: bool
) -> None:
    """On a deployment whose limits are short."""
    simulator.faults(**switches)
    reply = key_caller.ask(model=IMPATIENT, stream=stream)
    failure = reply.failure
    assert failure is not None
    assert (failure.code, reply.done) == ("504", False)
    assert "silent for 0.5 s" in failure.message
    if stream and said:
        assert (reply.status, reply.text, reply.finish) == (200, said, None)
    else:
        assert reply.status == 504


@pytest.mark.parametrize(
    ("switches", "status"),
    [
        ({"html": True}, 502),
        ({"status": 500, "body": PRIVATE}, 502),
        ({"status": 504, "html": True}, 504),
        ({"status": 408, "body": PRIVATE}, 504),
        ({"status": 503, "body": PRIVATE}, 503),
        ({"disconnect": "close"}, 502),
        ({"disconnect": "reset"}, 502),
    ],
    ids=lambda value: str(value),
)
def test_failures_worth_a_retry(caller: Caller, simulator: Simulator, switches: dict[str, Any], status: int) -> None:
    """Five seconds are time for one retry on a busy machine, too, and for two at most."""
    simulator.faults(**switches)
    replies = at_once(
        lambda: caller.ask(model="stackspot-code", timeout=5),
        lambda: caller.ask(model="stackspot-code", timeout=5, stream=True),
    )
    for reply in replies:
        failure_of(reply, status)
    assert 4 <= len(simulator.requests("/v1/agent/")) <= 6


def test_retries_end_after_the_fourth_attempt(caller: Caller, simulator: Simulator) -> None:
    """1 + 2 + 4 seconds, plain and streamed side by side."""
    simulator.faults(status=500, body=PRIVATE)
    replies = at_once(lambda: caller.ask(), lambda: caller.ask(model="stackspot-code", stream=True))
    for reply in replies:
        failure_of(reply, 502)
    paths = [record["path"] for record in simulator.requests("/v1/agent/")]
    assert sorted(paths.count(f"/v1/agent/{AGENTS[name]}/chat") for name in AGENTS) == [0, 4, 4]


def test_a_retry_that_works_is_not_seen(caller: Caller, simulator: Simulator) -> None:
    for agent in ("stackspot-ai-chat", "stackspot-ai-code"):
        simulator.faults({"status": 503, "times": 1}, target=AGENTS[agent])
    replies = at_once(lambda: caller.ask(), lambda: caller.ask(model="stackspot-code", stream=True))
    assert [reply.finish for reply in replies] == ["stop", "stop"]
    assert sorted(record["status"] for record in simulator.requests("/v1/agent/")) == [200, 200, 503, 503]


def test_nothing_is_retried_after_the_first_text(caller: Caller, simulator: Simulator) -> None:
    simulator.faults(break_after=1, delta_delay=0.1)
    assert caller.ask(stream=True).failure is not None
    assert len(simulator.requests("/v1/agent/")) == 1


def test_a_rate_limit_passes_when_it_is_short(caller: Caller, simulator: Simulator) -> None:
    simulator.faults({"status": 429, "retry_after": "1", "times": 1})
    assert caller.ask().finish == "stop"
    assert [record["status"] for record in simulator.requests("/v1/agent/")] == [429, 200]


def test_callers_without_the_gateway_s_key_are_refused(caller: Caller, simulator: Simulator) -> None:
    reply = caller.ask(headers={"Authorization": "Bearer sk-somebody-else"})
    failure = reply.failure
    assert failure is not None
    assert reply.status in (400, 401), "400 is LiteLLM's answer where it has no database to look the key up in"
    assert "somebody-else" not in reply.raw
    assert simulator.requests() == []


@pytest.mark.parametrize("model", ["gpt-4o", "", None, 5, "STACKSPOT"])
def test_models_that_are_not_there_are_refused(caller: Caller, simulator: Simulator, model: Any) -> None:
    failure_of(caller.ask(model=model), 400)
    assert simulator.requests() == []


def test_a_body_that_is_no_json_is_refused(caller: Caller) -> None:
    response = caller.post("/v1/chat/completions", content=b"{", headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


MALFORMED = {"text": "Hi", "list of texts": ["Hi"], "list of nulls": [None]}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_messages_are_refused_without_a_traceback(caller: Caller, name: str) -> None:
    failure_of(caller.ask(messages=MALFORMED[name]), 400)


def test_no_secret_is_logged(
    caller: Caller, key_caller: Caller, simulator: Simulator, account: Account, gateway: Server, key_gateway: Server
) -> None:
    """Neither by the gateway as it is run, nor by one whose LITELLM_LOG is DEBUG, whatever happens."""
    for switches in ({}, {"status": 401}, {"status": 418, "body": PRIVATE}, {"break_after": 1}):
        simulator.faults(**switches)
        simulator.faults(target="key", **switches)
        for stream in (False, True):
            caller.ask(stream=stream)
            key_caller.ask(stream=stream)
            key_caller.ask(model=IMPATIENT, stream=stream, api_key=account.api_key)
    for server in (gateway, key_gateway):
        log = server.output()
        assert "/chat/completions" in log
        for secret in secrets_of(account, server):
            assert secret not in log
    assert "DEBUG" in key_gateway.output()
    assert PRIVATE not in gateway.output()


def at_once(*calls: Callable[[], Reply]) -> list[Reply]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def wait_until(holds: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)
