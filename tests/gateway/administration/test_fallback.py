"""Another provider when StackSpot is down or full: the block of docs/accounts.md, with an OpenAI-shaped stand-in."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.client import Simulator
from tests.developers import Developer, hire, spend
from tests.gateway.administration.observing import Log
from tests.gateway.administration.test_accounts import CHAT, LONG, REPLACED, answered, ask, lines_of
from tests.gateway.blocks import FALLBACK, with_blocks
from tests.gateway.calling import ROUTES, Reply
from tests.harness import AGENTS, WITHOUT_TLS, Account, Server, running_gateway, running_simulator
from tests.sampling import every, paired
from tests.waiting import eventually

OTHER = "azure-fallback"
# Seconds for which a 429 holds back whoever comes next: longer than a request waits here, so the other would answer it.
HELD = 2.5
# Here the provider is OpenAI's interface at an address of ours; nothing else of the block changes.
STAND_IN = {"azure/gpt-4.1": "openai/gpt-4.1", '      api_version: "2024-10-21"\n': ""}
WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture(scope="module")
def provider_server(logs: Path) -> Iterator[tuple[Server, Account]]:
    """Speaks as OpenAI does, with a key of its own."""
    account = Account.new()
    with running_simulator(account, logs / "provider.log") as server:
        yield server, account


@pytest.fixture
def provider(provider_server: tuple[Server, Account]) -> Iterator[Simulator]:
    with Simulator(provider_server[0].url) as simulator:
        simulator.reset()
        yield simulator


def stand_in(block: str) -> str:
    for old, new in STAND_IN.items():
        block = block.replace(old, new)
    return block


@pytest.fixture(scope="module")
def covered_server(
    account: Account,
    simulator_server: Server,
    provider_server: tuple[Server, Account],
    database_variables: dict[str, str],
    logs: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    config = tmp_path_factory.mktemp("fallback") / "litellm_config.yaml"
    config.write_text(with_blocks([FALLBACK], stand_in))
    environ = {**account.for_gateway(simulator_server.url), **database_variables}
    environ |= {"LITELLM_SALT_KEY": secrets.token_urlsafe(24), "STACKSPOT_ACCESS_LOG": "true"}
    environ |= {"STACKSPOT_REQUESTS_PER_MINUTE": "600", "STACKSPOT_BURST": "600", "STACKSPOT_MAX_WAIT_SECONDS": "1"}
    environ |= {"AZURE_API_BASE": f"{provider_server[0].url}/v1", "AZURE_API_KEY": provider_server[1].api_key}
    with running_gateway(environ, logs / "fallback.log", config=config) as server:
        yield server


@pytest.fixture
def covered(covered_server: Server, simulator: Simulator, provider: Simulator) -> Server:
    provider.model("echo")
    eventually(lambda: rested(covered_server), "an earlier test's 429 holds nobody back")
    return covered_server


def rested(server: Server) -> bool:
    headers = {"Authorization": f"Bearer {server.key}"}
    pace = httpx.get(f"{server.url}/stackspot/pace", headers=headers, timeout=30, verify=WITHOUT_TLS).json()
    return pace["seconds_since_429"] is None or pace["seconds_since_429"] > HELD


def limited(server: Server) -> Developer:
    """A key as `make key` makes it: the six names, and not the other provider's model."""
    return hire(server, models=[*AGENTS, "stackspot", "stackspot-code", "stackspot-assistant"], rpm_limit=1000)


def asked(provider: Simulator) -> int:
    return len(provider.requests("/v1/"))


@pytest.mark.parametrize(("route", "stream"), every(2, REPLACED))
def test_the_other_provider_answers_while_stackspot_is_down(
    covered: Server, simulator: Simulator, provider: Simulator, route: str, stream: bool
) -> None:
    simulator.faults(status=418)  # which is not tried again first
    provider.answer("From somebody else.")
    reply = ask(covered, limited(covered), route, stream=stream)
    assert (reply.status, reply.failure, reply.text) == (200, None, "From somebody else.")
    assert asked(provider) == 1


@pytest.mark.parametrize("model", [CHAT, "stackspot"])
def test_by_its_alias_as_well_and_at_its_own_price(
    covered: Server, simulator: Simulator, provider: Simulator, model: str
) -> None:
    simulator.faults(status=418)
    developer = limited(covered)
    provider.answer({"text": "Hello.", "usage": {"input": 1000, "output": 100}})
    assert ask(covered, developer, model=model).text == "Hello."
    eventually(lambda: spend(covered, developer) == pytest.approx(0.0028), "the spend")


def test_the_other_providers_answer_alone_is_paid(covered: Server, simulator: Simulator, provider: Simulator) -> None:
    """What StackSpot's failed try has cost is in the access log, beside an answer."""
    simulator.faults(empty_answer=True, extra_input=5000)
    provider.rule({"text": "Hello.", "usage": {"input": 1000, "output": 100}}, pattern=".")
    log, payer = Log(covered), limited(covered)
    for route, stream in REPLACED:
        assert ask(covered, payer, route, stream=stream).failure is None
    tries = [sum(each["usage"].values()) for each in simulator.requests("/v1/agent/")]
    assert len(tries) == len(REPLACED)
    log.wait(lambda log: len(lines_of(payer, log)) == len(REPLACED))
    assert [(line["outcome"], line.get("lost")) for line in lines_of(payer, log)] == [("answered", n) for n in tries]
    eventually(lambda: spend(covered, payer) == pytest.approx(len(REPLACED) * 0.0028), "the answers, at their price")


@pytest.mark.parametrize("stream", [False, True])
def test_tools_go_there_too(covered: Server, simulator: Simulator, provider: Simulator, stream: bool) -> None:
    simulator.faults(status=418)
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Recife"}'}}
    provider.answer({"message": {"tool_calls": [call]}})
    reply = ask(covered, limited(covered), stream=stream, tools=[WEATHER])
    assert reply.finish == "tool_calls"
    [sent] = provider.requests("/v1/")
    assert sent["body"]["tools"] == [WEATHER]


@pytest.mark.parametrize(
    "faults",
    every(
        2,
        [
            {"status": 429},
            {"status": 401},
            {"status": 403},
            {"status": 503},
            {"empty_answer": True},
            {"disconnect": "reset"},
        ],
    ),
    ids=str,
)
def test_what_falls_back(covered: Server, simulator: Simulator, provider: Simulator, faults: dict[str, Any]) -> None:
    simulator.faults(**faults)
    with ThreadPoolExecutor(2) as threads:
        replies = list(threads.map(lambda stream: ask(covered, limited(covered), stream=stream), (False, True)))
    assert [(reply.status, reply.failure) for reply in replies] == [(200, None)] * 2
    assert asked(provider) == 2


def test_a_timeout_falls_back(covered: Server, simulator: Simulator, provider: Simulator) -> None:
    simulator.faults(first_byte_delay=20)
    assert ask(covered, limited(covered), timeout=1).status == 200
    assert asked(provider) == 1


@pytest.mark.parametrize(("faults", "stream"), paired([{"status": 400}, {"token_limit": 90}], [False, True]), ids=str)
def test_what_does_not(
    covered: Server, simulator: Simulator, provider: Simulator, faults: dict[str, Any], stream: bool
) -> None:
    simulator.faults(**faults)
    for route in ROUTES:
        assert ask(covered, limited(covered), route, stream=stream, prompt=LONG).failure
    assert asked(provider) == 0


@pytest.mark.parametrize(("route", "faults"), paired(ROUTES, [{"break_after": 2}, {"error_after": 2}]), ids=str)
def test_nobody_else_goes_on_with_a_text(
    covered: Server, simulator: Simulator, provider: Simulator, route: str, faults: dict[str, Any]
) -> None:
    simulator.faults(**faults)
    reply = ask(covered, limited(covered), route, stream=True)
    assert (bool(reply.failure), bool(reply.text), asked(provider)) == (True, True, 0)


def test_a_stream_that_fails_before_its_first_byte(covered: Server, simulator: Simulator, provider: Simulator) -> None:
    simulator.faults(break_after=0)
    for route in {route for route, stream in REPLACED if stream}:
        provider.clear()
        reply: Reply = ask(covered, limited(covered), route, stream=True)
        assert (reply.status, reply.failure, asked(provider)) == (200, None, 1)


@pytest.mark.parametrize("route", every(2, ROUTES))
def test_a_request_chooses_no_fallback(covered: Server, simulator: Simulator, provider: Simulator, route: str) -> None:
    simulator.faults(status=418)
    developer = limited(covered)
    for name in ("fallbacks", "context_window_fallbacks"):
        for value in ([OTHER], [{"stackspot-ai-code": [OTHER]}], [{"model": OTHER}]):
            chosen: dict[str, Any] = {name: value}
            reply = ask(covered, developer, route, "stackspot-code", **chosen)
            assert (reply.status >= 400, asked(provider)) == (True, 0), (name, value)
    assert ask(covered, developer, route, OTHER).status == 403
    assert answered(simulator) == {}


def test_other_models_have_none(covered: Server, simulator: Simulator, provider: Simulator) -> None:
    simulator.faults(status=418)
    assert ask(covered, limited(covered), model="stackspot-code").status == 502
    assert asked(provider) == 0


def test_when_both_are_down_the_error_is_stackspots(covered: Server, simulator: Simulator, provider: Simulator) -> None:
    simulator.faults(status=418)
    provider.faults(target="key", status=500, body={"error": {"message": "said by the provider"}})
    failure = ask(covered, limited(covered)).failure
    assert failure
    assert failure.message.endswith("StackSpot answered HTTP 418.")
