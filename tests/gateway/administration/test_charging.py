"""Whatever StackSpot was asked is in the key's spend, once, on every path: exact where StackSpot told its numbers."""

import json
import socket
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from custom_handlers.core.models import PRICE_PER_TOKEN
from custom_handlers.emulation.tokenizer import count
from simulator.client import Simulator
from tests.gateway.calling import CHAT, PATHS, ROUTES, request_body
from tests.harness import WITHOUT_TLS, Server

FLUSH_SECONDS = 60.0
IMPOSSIBLE = {"type": "json_schema", "json_schema": {"name": "none", "schema": {"not": {}}}}
WAYS = [(route, stream) for route in ROUTES for stream in (False, True)]
CHAT_WAYS = [(CHAT, False), (CHAT, True)]


class Key:
    """A key of its own for one test, and what the gateway says that it has spent."""

    def __init__(self, gateway: Server, **fields: Any) -> None:
        self.gateway = gateway
        self._admin = httpx.Client(
            base_url=gateway.url,
            headers={"Authorization": f"Bearer {gateway.key}"},
            timeout=60,
            trust_env=False,
            verify=WITHOUT_TLS,
        )
        self.team = self._admin.post("/team/new", json={}).json()["team_id"]
        body = {"user_id": f"user-{time.monotonic_ns()}", "team_id": self.team, **fields}
        self.key = self._admin.post("/key/generate", json=body).raise_for_status().json()["key"]

    def ask(self, route: str, **fields: Any) -> httpx.Response:
        return httpx.post(
            self.gateway.url + PATHS[route],
            json=request_body(route) | fields,
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=60,
            trust_env=False,
            verify=WITHOUT_TLS,
        )

    def leave(self, route: str, simulator: Simulator, deltas: int, **fields: Any) -> None:
        """Asks, and closes the connection once StackSpot has sent so many deltas."""
        address = urlsplit(self.gateway.url)
        body = json.dumps(request_body(route) | fields).encode()
        head = f"POST {PATHS[route]} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {self.key}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        with closing(socket.create_connection((address.hostname or "", address.port or 0), 10)) as connection:
            connection.sendall(head.encode() + body)
            simulator.wait_for(lambda records: bool(records) and records[0]["deltas"] >= deltas, "/v1/agent/")
            time.sleep(0.3)  # the gateway reads what was sent
        simulator.wait_for(lambda records: records[0]["client_left"], "/v1/agent/")

    def booked(self) -> tuple[int, int, list[int]]:
        """What key and team have spent, and what each line of the log says, in tokens."""
        key = self._admin.get("/key/info", params={"key": self.key}).json()["info"]["spend"]
        team = self._admin.get("/team/info", params={"team_id": self.team}).json()["team_info"]["spend"]
        rows = self._admin.get("/spend/logs", params={"api_key": self.key}).json()
        tokens = [row["prompt_tokens"] + row["completion_tokens"] for row in rows]
        return round(key / PRICE_PER_TOKEN), round((team or 0) / PRICE_PER_TOKEN), sorted(tokens)


NewKey = Callable[..., Key]
Booked = dict[Key, list[int]]  # the tokens of each line of the log
SCENARIOS: dict[str, Callable[[NewKey, Simulator], Booked]] = {}


def told(simulator: Simulator) -> list[int]:
    """What StackSpot said that it used, for each time that it was asked since the last call of this, and said so."""
    usages = [record["usage"] for record in simulator.requests("/v1/agent/")]
    simulator.clear()
    return [usage["input"] + usage["output"] for usage in usages if usage]


def scenario(*arguments: Any) -> Callable[[Any], Any]:
    """What it decorates asks, and returns what has to be booked for it."""

    def add(ask: Any) -> Any:
        name = " ".join([ask.__name__.replace("_", " "), *map(str, arguments)])
        SCENARIOS[name] = lambda key, simulator: ask(key, simulator, *arguments)
        return ask

    return add


@scenario()
def an_answer_that_is_no_use(key: NewKey, simulator: Simulator) -> Booked:
    simulator.faults(empty_answer=True, extra_input=50)
    expected: Booked = {}
    for route, stream in WAYS:
        caller = key()
        caller.ask(route, stream=stream)
        expected[caller] = told(simulator)
        assert len(expected[caller]) == 1
    return expected


@scenario()
def both_rounds_of_calls_that_end_in_an_error(key: NewKey, simulator: Simulator) -> Booked:
    expected: Booked = {}
    for route, stream in CHAT_WAYS:
        caller = key()
        expected[caller] = []
        for _ in range(3):
            assert caller.ask(route, stream=stream, response_format=IMPOSSIBLE).status_code == 502
            rounds = told(simulator)
            assert len(rounds) == 2
            expected[caller].append(sum(rounds))
    return expected


@scenario()
def both_rounds_of_a_call_that_was_corrected(key: NewKey, simulator: Simulator) -> Booked:
    expected: Booked = {}
    for route, stream in CHAT_WAYS:
        simulator.answer("No JSON.", '{"a": 1}')
        caller = key()
        assert caller.ask(route, stream=stream, response_format={"type": "json_object"}).status_code == 200
        rounds = told(simulator)
        assert len(rounds) == 2
        expected[caller] = [sum(rounds)]
    return expected


@scenario()
def the_first_round_when_the_second_fails(key: NewKey, simulator: Simulator) -> Booked:
    expected: Booked = {}
    for route, stream in CHAT_WAYS:
        simulator.answer("No JSON.")
        simulator.faults({"times": 1}, {"status": 403})
        caller = key()
        assert caller.ask(route, stream=stream, response_format={"type": "json_object"}).status_code == 502
        assert len(simulator.requests("/v1/agent/")) == 2
        expected[caller] = told(simulator)
    return expected


@scenario("breaks off")
@scenario("times out")
def an_answer_that_does_not_come_to_its_end(key: NewKey, simulator: Simulator, how: str) -> Booked:
    fields: dict[str, Any] = {"timeout": 1.5} if how == "times out" else {}
    simulator.faults({"delta_delay": 0.3, "stall_after" if fields else "break_after": 2})
    expected: Booked = {}
    for route, stream in WAYS:
        simulator.answer({"pieces": ["one ", "two ", "three"]})
        caller = key()
        caller.ask(route, stream=stream, **fields)
        expected[caller] = [count("Hi") + count("one two ")]
    return expected


@scenario(0)
@scenario(2)
def a_call_that_its_caller_leaves(key: NewKey, simulator: Simulator, deltas: int) -> Booked:
    simulator.faults({"stall_after": deltas} if deltas else {"first_byte_delay": 60})
    expected: Booked = {}
    for route, stream in WAYS:
        simulator.clear()
        simulator.answer({"pieces": ["one ", "two ", "three"]})
        caller = key()
        caller.leave(route, simulator, deltas, stream=stream)
        expected[caller] = [count("Hi") + (count("one two ") if deltas else 0)]
    return expected


@scenario()
def what_stackspot_refuses_costs_nothing(key: NewKey, simulator: Simulator) -> Booked:
    simulator.faults({"status": 403, "times": 1})
    caller = key()
    assert caller.ask(CHAT).status_code == 502
    caller.ask(CHAT)
    return {caller: [0, *told(simulator)]}


@scenario()
def a_figure_that_cannot_be_true_is_counted_here(key: NewKey, simulator: Simulator) -> Booked:
    expected: Booked = {}
    for route, stream in CHAT_WAYS:
        simulator.answer({"text": "one two three", "usage": {"input": 10**12, "output": 10**12}})
        caller = key()
        assert caller.ask(route, stream=stream).status_code == 200
        expected[caller] = [count("Hi") + count("one two three")]
    return expected


@pytest.fixture(scope="module")
def asked(team_gateway_server: Server, simulator_client: Simulator) -> dict[str, Booked | Exception]:
    """Everything is asked before anything is looked up: LiteLLM books every few seconds, and all wait for that once."""
    found: dict[str, Booked | Exception] = {}
    for name, ask in SCENARIOS.items():
        simulator_client.reset()
        try:
            found[name] = ask(lambda **fields: Key(team_gateway_server, **fields), simulator_client)
        except Exception as error:
            found[name] = error
    return found


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_stackspot_was_asked_is_booked_once(asked: dict[str, Booked | Exception], name: str) -> None:
    """For each key a line of so many tokens a call, and their sum for key and team."""
    expected = asked[name]
    if isinstance(expected, Exception):
        raise expected
    end = time.monotonic() + FLUSH_SECONDS
    for key, tokens in expected.items():
        wanted = sum(tokens), sum(tokens), sorted(tokens)
        while (booked := key.booked()) != wanted and time.monotonic() < end:
            time.sleep(0.5)
        assert booked == wanted


def test_failed_calls_are_held_against_the_budget(team_gateway: Server, simulator: Simulator) -> None:
    caller = Key(team_gateway, max_budget=100 * PRICE_PER_TOKEN)
    statuses = [caller.ask(CHAT, response_format=IMPOSSIBLE).status_code for _ in range(3)]
    assert statuses[0] == 502
    assert set(statuses[1:]).isdisjoint({200, 502})
    assert len(simulator.requests("/v1/agent/")) == 2
