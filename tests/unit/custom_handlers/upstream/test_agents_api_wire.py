"""The Agents API over real sockets: every way in which the service varies, and every way in which it fails."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from custom_handlers.core.errors import (
    ContextWindowExceededError,
    InvalidResponseError,
    PermissionDeniedError,
    RateLimitError,
    StackSpotError,
    UpstreamTimeoutError,
)
from custom_handlers.core.events import Delta, Event, Finish
from custom_handlers.http import retry
from custom_handlers.http.timeouts import Deadline, Timeouts
from custom_handlers.upstream.agents_api import Agent, AgentsApi
from custom_handlers.upstream.oauth import TokenSource
from simulator.client import Simulator
from tests.harness import AGENTS, Account
from tests.unit.custom_handlers.serving import relaying

AGENT = Agent(AGENTS["stackspot-ai-code"])
TIMEOUTS = Timeouts(first_byte=60, idle=60, total=60)
TEXT = "A first line.\r\n\tA second — with “quotes” \\ and 👩‍👩‍👧 and data: {}\n\nevent: x\n[DONE]\n"


@pytest.fixture
def api(simulator: Simulator, account: Account) -> AgentsApi:
    return AgentsApi(simulator.url, TokenSource(simulator.url, account.realm, account.client_id, account.client_secret))


async def events(api: AgentsApi, agent: Agent = AGENT, timeouts: Timeouts = TIMEOUTS) -> list[Event]:
    async with aclosing(api.ask(agent, "Hi", Deadline(timeouts))) as answer:
        return [event async for event in answer]


async def ask(api: AgentsApi, agent: Agent = AGENT, timeouts: Timeouts = TIMEOUTS) -> tuple[str, Finish]:
    *deltas, end = await events(api, agent, timeouts)
    assert isinstance(end, Finish)
    return "".join(delta.text for delta in deltas if isinstance(delta, Delta)), end


async def failure(api: AgentsApi, timeouts: Timeouts = TIMEOUTS) -> StackSpotError:
    with pytest.raises(StackSpotError) as caught:
        await events(api, timeouts=timeouts)
    return caught.value


def name(faults: dict[str, Any]) -> str:
    return ",".join(f"{key}={value}" for key, value in faults.items())


async def test_the_request(simulator: Simulator, api: AgentsApi) -> None:
    await ask(api)
    (request,) = simulator.requests("chat")
    assert request["path"] == f"/v1/agent/{AGENT.id}/chat"
    assert request["body"] == {"user_prompt": "Hi", "streaming": True, "stackspot_knowledge": False}
    assert request["headers"]["authorization"].startswith("Bearer ey")
    assert request["headers"]["content-type"] == "application/json"
    assert request["headers"]["accept"] == "text/event-stream"


async def test_every_option_is_one_that_the_service_knows(simulator: Simulator, api: AgentsApi) -> None:
    simulator.faults(refuse_unknown_fields=True)
    agent = Agent(AGENT.id, knowledge_source_ids=["mine"], knowledge=True, deep_search=True, version=2)
    _, end = await ask(api, agent)
    (request,) = simulator.requests("chat")
    assert request["unknown_fields"] == []
    assert end.extra["stackspot_knowledge"]["knowledge_source_id"] == ["mine", "stackspot-knowledge"]


@pytest.mark.parametrize(
    "faults",
    [
        *({"line_end": end, "delta_form": form} for end in ("crlf", "lf", "cr") for form in ("bare", "full", "answer")),
        *({"usage": form} for form in ("input", "user", "nulls")),
        {"usage": "user", "usage_as_strings": True},
        *({"pieces": pieces} for pieces in ("tokens", "characters", "surrogates", "whole")),
        *({"stop_reason": reason} for reason in ("null", "absent")),
        *({"cut_bytes": size, "line_end": end} for size in (1, 7) for end in ("crlf", "cr")),
        {"cut_bytes": 3, "pieces": "surrogates", "escape": True},
        {"final_message": "absent"},
        {"deltas_per_write": 50},
        {"empties": 0},
        {"empties": 30},
        {"comments": True},
        {"escape": True},
        {"done": True},
        {"non_json": True, "non_text": True},
        {"json_instead": True},
        {"json_instead": True, "escape": True},
        {"stream_content_type": "application/octet-stream"},
        {"extra_input": 500, "extra_output": 40},
    ],
    ids=name,
)
async def test_every_variant_gives_the_same_text_and_its_usage(
    simulator: Simulator, api: AgentsApi, faults: dict[str, Any]
) -> None:
    simulator.faults(**faults)
    simulator.answer(TEXT)
    text, end = await ask(api)
    assert text == TEXT
    assert end.finish_reason == "stop"
    (request,) = simulator.requests("chat")
    assert request["complete"]
    assert {"input": end.usage.prompt, "output": end.usage.completion} == request["usage"]


@pytest.mark.parametrize("faults", [{"usage": "null"}, {"usage": "absent"}, {"usage": "null", "stop_reason": "null"}])
async def test_usage_that_is_not_there_is_none(simulator: Simulator, api: AgentsApi, faults: dict[str, Any]) -> None:
    simulator.faults(**faults)
    text, end = await ask(api)
    assert text
    assert (end.usage.prompt, end.usage.completion) == (None, None)


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ({"final_object": False}, "broke off"),
        ({"final_object": False, "done": True}, "broke off"),
        ({"usage": "absent", "stop_reason": "absent"}, "broke off"),
        ({"break_after": 3}, "broke off"),
        ({"break_after": 3, "json_instead": True}, "broke off"),
        ({"error_after": 0}, "reported an error"),
        ({"error_after": 3}, "reported an error"),
        ({"error_after": 3, "error_form": "event"}, "reported an error"),
        ({"empty_answer": True}, "is empty"),
        ({"empty_answer": True, "json_instead": True}, "is empty"),
        ({"null_message": True}, "content filter"),
        ({"null_message": True, "json_instead": True}, "content filter"),
        ({"status": 200, "html": True}, "broke off"),
        ({"status": 200, "body": ""}, "broke off"),
    ],
    ids=lambda value: name(value) if isinstance(value, dict) else "",
)
async def test_an_answer_that_is_none_is_an_error_and_not_asked_for_again(
    simulator: Simulator, api: AgentsApi, faults: dict[str, Any], told: str
) -> None:
    simulator.faults(**faults)
    error = await failure(api)
    assert type(error) is InvalidResponseError
    assert told in error.message
    assert len(simulator.requests("chat")) == 1


async def test_the_text_before_a_break_is_handed_on(simulator: Simulator, api: AgentsApi) -> None:
    simulator.answer("one two three four")
    simulator.faults(break_after=3, delta_delay=0.05)
    found: list[Event] = []

    async def read() -> None:
        async for event in api.ask(AGENT, "Hi", Deadline(TIMEOUTS)):
            found.append(event)

    with pytest.raises(InvalidResponseError):
        await read()
    assert "".join(event.text for event in found if isinstance(event, Delta)) == "one two three"
    assert not any(isinstance(event, Finish) for event in found)


async def test_empty_deltas_for_ever_are_no_sign_of_life(simulator: Simulator, api: AgentsApi) -> None:
    simulator.faults(endless_empties=True)
    error = await failure(api, Timeouts(first_byte=0.4, idle=60, total=60))
    assert type(error) is UpstreamTimeoutError
    assert "0.4 s" in error.message
    await asyncio.to_thread(simulator.wait_for, lambda requests: requests[0]["client_left"], "chat")


async def test_silence_after_the_first_text(simulator: Simulator, api: AgentsApi) -> None:
    simulator.faults(stall_after=1)
    error = await failure(api, Timeouts(first_byte=60, idle=0.4, total=60))
    assert type(error) is UpstreamTimeoutError


async def test_the_time_limit_covers_the_token_too(simulator: Simulator, api: AgentsApi) -> None:
    simulator.faults(header_delay=50, target="token")
    assert type(await failure(api, Timeouts(first_byte=0.3))) is UpstreamTimeoutError
    assert simulator.requests("chat") == []


async def test_a_prompt_that_is_too_long(simulator: Simulator, api: AgentsApi) -> None:
    simulator.faults(token_limit=100, extra_input=100)
    error = await failure(api)
    assert isinstance(error, ContextWindowExceededError)
    assert (error.limit, error.tokens) == (100, 101)


async def test_an_agent_that_is_not_there(simulator: Simulator, api: AgentsApi) -> None:
    with pytest.raises(PermissionDeniedError):
        await ask(api, Agent("01J00000000000000000000000"))


async def test_the_accounts_limit_is_waited_for(
    simulator: Simulator, api: AgentsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "RETRY_DELAYS", (0.5, 1.0, 2.0))
    simulator.faults(rate_limit=2, rate_window=1.0)
    assert len(await asyncio.gather(*(ask(api) for _ in range(4)))) == 4


async def test_the_accounts_limit_is_told_with_its_code(
    simulator: Simulator, api: AgentsApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "RETRY_DELAYS", ())
    simulator.faults(rate_limit=0)
    error = await failure(api)
    assert type(error) is RateLimitError
    assert error.code == "INFERENCE_3008_CHAT_RATE_LIMIT_EXCEEDED"


@pytest.mark.parametrize("stop", ["close", "cancel"])
async def test_the_upstream_is_left_when_nobody_reads_on(simulator: Simulator, api: AgentsApi, stop: str) -> None:
    simulator.faults(stall_after=2, deltas_per_write=2)
    answer = api.ask(AGENT, "Hi", Deadline(TIMEOUTS))
    await anext(answer)
    if stop == "close":
        await answer.aclose()
    else:
        waiting = asyncio.ensure_future(anext(answer))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await asyncio.to_thread(simulator.wait_for, lambda requests: requests[0]["client_left"], "chat")
    assert simulator.state()["open_streams"] == 0


async def test_connections_are_used_again(simulator: Simulator, account: Account) -> None:
    async with relaying(simulator.url) as relay:
        tokens = TokenSource(relay.url, account.realm, account.client_id, account.client_secret)
        api = AgentsApi(relay.url, tokens)
        for _ in range(5):
            await ask(api)
        assert relay.connections == 1  # the token's too
        for _ in range(3):
            await asyncio.gather(*(ask(api) for _ in range(6)))
        assert relay.connections <= 6
    assert len(simulator.requests("chat")) == 23


async def test_an_answer_is_not_held_back(simulator: Simulator, api: AgentsApi) -> None:
    simulator.answer("one two three")
    simulator.faults(stall_after=1)
    answer = api.ask(AGENT, "Hi", Deadline(TIMEOUTS))
    assert await asyncio.wait_for(anext(answer), 30) == Delta({"content": "one"})
    await answer.aclose()
