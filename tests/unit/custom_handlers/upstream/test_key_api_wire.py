"""The key API over real sockets: what is sent to it, what of its answers is passed on, and how it fails."""

from contextlib import aclosing
from typing import Any

import pytest

from custom_handlers.core.errors import (
    AuthenticationError,
    ContextWindowExceededError,
    InvalidResponseError,
    PermissionDeniedError,
    StackSpotError,
    UnknownModelError,
)
from custom_handlers.core.events import Delta, Finish
from custom_handlers.http.timeouts import Deadline, Timeouts
from custom_handlers.upstream.key_api import FORWARDED, PATHS, KeyApi
from simulator.client import Simulator
from tests.harness import AGENTS, Account

MODEL = "stackspot-ai-code"
ASKED = [{"role": "user", "content": "Hi"}]
TIMEOUTS = Timeouts(first_byte=60, idle=60, total=60)
CALLS: Any = {
    "message": {
        "content": None,
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "read", "arguments": '{"path": "ä.py"}'}},
            {"id": "b", "type": "function", "function": {"name": "list", "arguments": "{}"}},
        ],
    }
}
plain_and_streamed = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


@pytest.fixture
def api(simulator: Simulator, account: Account) -> KeyApi:
    return KeyApi(f"{simulator.url}/v1", account.api_key)


async def ask(
    api: KeyApi, *, stream: bool = True, model: str = MODEL, messages: Any = ASKED, **parameters: Any
) -> tuple[list[dict[str, Any]], Finish]:
    async with aclosing(api.ask(model, messages, parameters, Deadline(TIMEOUTS), stream=stream)) as answer:
        *deltas, end = [event async for event in answer]
    assert isinstance(end, Finish)
    return [dict(delta.fields) for delta in deltas if isinstance(delta, Delta)], end


def text(deltas: list[dict[str, Any]]) -> str:
    return "".join(delta.get("content", "") for delta in deltas)


async def failure(api: KeyApi, *, stream: bool = True, model: str = MODEL) -> StackSpotError:
    with pytest.raises(StackSpotError) as caught:
        await ask(api, stream=stream, model=model)
    return caught.value


@plain_and_streamed
@pytest.mark.parametrize("model", AGENTS)
async def test_the_request(simulator: Simulator, api: KeyApi, account: Account, model: str, stream: bool) -> None:
    await ask(api, model=model, stream=stream)
    (request,) = simulator.requests()
    assert request["path"] == f"/v1{PATHS[model]}"
    assert request["headers"]["authorization"] == f"Bearer {account.api_key}"
    options = {"stream_options": {"include_usage": True}} if stream else {}
    assert request["body"] == {"model": model, "messages": ASKED, "stream": stream, **options}


async def test_only_what_is_listed_goes_upstream(simulator: Simulator, api: KeyApi) -> None:
    given = {name: f"value of {name}" for name in FORWARDED}
    stray = {"api_key": "x", "api_base": "x", "extra_body": {"a": 1}, "user": "x", "model": "x", "messages": []}
    async with aclosing(api.ask(MODEL, ASKED, {**stray, **given}, Deadline(TIMEOUTS), stream=True)) as answer:
        assert [event async for event in answer]
    (request,) = simulator.requests()
    assert request["body"].keys() == {"model", "messages", "stream", "stream_options", *FORWARDED}
    assert (request["body"]["model"], request["body"]["messages"]) == (MODEL, ASKED)
    assert {name: request["body"][name] for name in FORWARDED} == given


async def test_what_is_null_is_left_out(simulator: Simulator, api: KeyApi) -> None:
    await ask(api, temperature=0, max_tokens=None)
    (request,) = simulator.requests()
    assert request["body"]["temperature"] == 0
    assert "max_tokens" not in request["body"]


async def test_half_a_surrogate_pair_can_be_sent(simulator: Simulator, api: KeyApi) -> None:
    await ask(api, messages=[{"role": "user", "content": "a \ud83d b"}])
    assert len(simulator.requests()) == 1


@pytest.mark.parametrize(
    "faults",
    [
        {},
        *({"line_end": end} for end in ("crlf", "lf", "cr")),
        {"comments": True, "pieces": "characters"},
        {"cut_bytes": 1, "pieces": "surrogates"},
        {"cut_bytes": 5, "escape": True},
        {"done": False},
        {"json_instead": True},
        {"deltas_per_write": 100},
        {"non_json": True},
    ],
    ids=str,
)
@plain_and_streamed
async def test_every_variant_gives_the_same_text_and_usage(
    simulator: Simulator, api: KeyApi, faults: dict[str, Any], stream: bool
) -> None:
    simulator.faults(**faults, target="key")
    simulator.answer("One — “two” 👩‍👩‍👧\r\nthree data: {}\n\n[DONE]", agent="key")
    deltas, end = await ask(api, stream=stream)
    (request,) = simulator.requests()
    assert text(deltas) == request["answer"]
    assert {"input": end.usage.prompt, "output": end.usage.completion} == request["usage"]
    assert end.finish_reason == "stop"


@plain_and_streamed
async def test_tool_calls_are_passed_on(simulator: Simulator, api: KeyApi, stream: bool) -> None:
    simulator.answer(CALLS, agent="key")
    deltas, end = await ask(api, stream=stream)
    assert end.finish_reason == "tool_calls"
    calls: dict[int, dict[str, str]] = {}
    for call in (call for delta in deltas for call in delta.get("tool_calls", [])):
        known = calls.setdefault(call["index"], {"id": "", "name": "", "arguments": ""})
        known["id"] += call.get("id", "")
        for name, value in call["function"].items():
            known[name] += value
    assert [(call["name"], call["arguments"]) for call in calls.values()] == [
        ("read", '{"path": "ä.py"}'),
        ("list", "{}"),
    ]
    assert [call["id"] for call in calls.values()] == ["a", "b"]


@plain_and_streamed
@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ({"break_after": 2}, "broke off"),
        ({"empty_answer": True}, "is empty"),
        ({"status": 200, "html": True}, "broke off"),
        ({"status": 200, "body": {"error": "no"}}, "reported an error"),
    ],
)
async def test_an_answer_that_is_none(
    simulator: Simulator, api: KeyApi, faults: dict[str, Any], told: str, stream: bool
) -> None:
    simulator.faults(**faults, target="key")
    error = await failure(api, stream=stream)
    assert type(error) is InvalidResponseError
    assert told in error.message
    assert len(simulator.requests()) == 1


async def test_an_error_in_the_middle_of_a_stream(simulator: Simulator, api: KeyApi) -> None:
    simulator.faults(error_after=2, target="key")
    assert "reported an error" in (await failure(api)).message


async def test_a_wrong_key(simulator: Simulator) -> None:
    error = await failure(KeyApi(f"{simulator.url}/v1", "sk-wrong"))
    assert type(error) is AuthenticationError
    assert "STACKSPOT_API_KEY" in error.message
    assert len(simulator.requests()) == 1


async def test_an_address_without_the_api(simulator: Simulator, account: Account) -> None:
    error = await failure(KeyApi(f"{simulator.url}/elsewhere", account.api_key))
    assert type(error) is PermissionDeniedError
    assert "STACKSPOT_API_BASE" in error.message


async def test_a_prompt_that_is_too_long(simulator: Simulator, api: KeyApi) -> None:
    simulator.faults(token_limit=100, extra_input=200, target="key")
    error = await failure(api)
    assert isinstance(error, ContextWindowExceededError)
    assert error.limit == 100
    assert error.tokens
    assert error.tokens > 200


async def test_a_model_that_it_does_not_have(simulator: Simulator, api: KeyApi) -> None:
    error = await failure(api, model="house-style")
    assert type(error) is UnknownModelError
    assert all(name in error.message for name in PATHS)
    assert simulator.requests() == []


def test_the_key_is_not_shown(api: KeyApi, account: Account) -> None:
    assert account.api_key not in repr(api)
