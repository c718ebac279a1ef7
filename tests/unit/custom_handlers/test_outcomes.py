"""How calls end, as it is told: answered, left, or with an error's name; what they cost and how long they waited."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, nullcontext
from typing import Any

import pytest

from custom_handlers import outcomes
from custom_handlers.client import ChatRequest, StackSpotClient
from custom_handlers.config.deployment import Deployment
from custom_handlers.config.settings import read_settings
from custom_handlers.core import notes, telemetry
from custom_handlers.core.errors import StackSpotError
from custom_handlers.core.events import Event, Finish
from custom_handlers.http import retry
from custom_handlers.http.timeouts import Deadline, Timeouts
from simulator.client import Simulator
from tests import harness

MODEL = "stackspot-ai-code"
TOOL = {"type": "function", "function": {"name": "read", "parameters": {"type": "object", "required": ["path"]}}}
CALL = '<tool_call>{"name": "read", "arguments": {"path": "a"}}</tool_call>'
UNFIT = '<tool_call>{"name": "read", "arguments": {}}</tool_call>'
UNREADABLE = '<tool_call>{"name": "read", "arguments": {"path": "a</tool_call>'


@pytest.fixture
def heard() -> Iterator[list[telemetry.Happening]]:
    found: list[telemetry.Happening] = []
    unsubscribe = telemetry.subscribe(found.append)
    yield found
    unsubscribe()


@pytest.fixture
def stackspot(simulator: Simulator, request: pytest.FixtureRequest) -> StackSpotClient:
    credentials: harness.Account = request.getfixturevalue("account")
    environ = credentials.for_gateway(simulator.url) | {
        "STACKSPOT_REQUESTS_PER_MINUTE": "6000",
        "STACKSPOT_BURST": "1",
    }
    return StackSpotClient(read_settings(environ))


async def call(stackspot: StackSpotClient, **parameters: Any) -> AsyncGenerator[Event]:
    """As the handler does it."""
    deployment = Deployment(stackspot_agent_id=harness.AGENTS[MODEL])
    request = ChatRequest(MODEL, [{"role": "user", "content": "Go"}], parameters)
    with outcomes.told(MODEL, stream=True) as meter:
        async with aclosing(stackspot.chat(deployment, request, Deadline(Timeouts()), meter)) as answer:
            async for event in answer:
                meter.complete = isinstance(event, Finish)
                yield event


def of(kind: type[Any], heard: list[telemetry.Happening]) -> list[Any]:
    return [happening for happening in heard if isinstance(happening, kind)]


async def test_an_answered_call(
    stackspot: StackSpotClient, simulator: Simulator, heard: list[telemetry.Happening]
) -> None:
    noted = notes.begin()
    noted.caller = notes.Caller("hash", alias="ana")
    events = [event async for event in call(stackspot)]
    assert isinstance(events[-1], Finish)
    (end,) = of(telemetry.RequestFinished, heard)
    assert (end.model, end.outcome, end.stream, end.key) == (MODEL, "answered", True, "ana")
    assert end.usage == events[-1].usage
    assert end.usage.prompt
    (answered,) = of(telemetry.UpstreamAnswered, heard)
    assert answered.model == MODEL
    assert 0 < answered.first <= answered.total <= end.seconds
    assert of(telemetry.TokenRenewed, heard) == [telemetry.TokenRenewed("answered")]
    asked = of(telemetry.UpstreamAsked, heard)
    assert [(one.service, one.outcome) for one in asked] == [("token", "answered"), ("agents", "answered")]


async def test_a_caller_who_leaves(stackspot: StackSpotClient, heard: list[telemetry.Happening]) -> None:
    asked = call(stackspot)
    await anext(asked)
    await asked.aclose()
    (end,) = of(telemetry.RequestFinished, heard)
    assert end.outcome == "left"
    assert end.usage.prompt


async def test_who_has_had_all_of_it_has_not_left(stackspot: StackSpotClient, heard: list[telemetry.Happening]) -> None:
    asked = call(stackspot)
    async for event in asked:
        if isinstance(event, Finish):
            break
    await asked.aclose()
    assert of(telemetry.RequestFinished, heard)[0].outcome == "answered"


async def test_an_error_has_its_name_and_each_try_is_counted(
    stackspot: StackSpotClient,
    simulator: Simulator,
    heard: list[telemetry.Happening],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retry, "RETRY_DELAYS", (0.01, 0.02, 0.04))
    simulator.faults(status=500)
    with pytest.raises(StackSpotError):
        [event async for event in call(stackspot)]
    (end,) = of(telemetry.RequestFinished, heard)
    assert (end.outcome, end.usage.prompt) == ("bad_gateway", 0)
    tries = [one.outcome for one in of(telemetry.UpstreamAsked, heard) if one.service == "agents"]
    assert tries == ["bad_gateway"] * len(simulator.requests("/chat"))
    assert of(telemetry.UpstreamAnswered, heard) == []


@pytest.mark.parametrize(
    ("answers", "reasons", "calls"),
    [
        ([CALL], [], ["valid"]),
        ([UNREADABLE, CALL], ["bad_call"], ["corrected"]),
        ([UNFIT, UNFIT], ["bad_call"], ["unfit"]),
        ([UNREADABLE, UNREADABLE], ["bad_call"], ["lost"]),
        (["Hello."], [], []),
    ],
)
async def test_corrections_and_tool_calls(
    stackspot: StackSpotClient,
    simulator: Simulator,
    heard: list[telemetry.Happening],
    answers: list[str],
    reasons: list[str],
    calls: list[str],
) -> None:
    simulator.answer(*answers)
    with pytest.raises(StackSpotError) if calls == ["lost"] else nullcontext():
        [event async for event in call(stackspot, tools=[TOOL])]
    assert [one.reason for one in of(telemetry.CorrectionAsked, heard)] == reasons
    assert [one.outcome for one in of(telemetry.ToolCalled, heard)] == calls


@pytest.mark.parametrize(
    ("parameters", "answers", "reason"),
    [
        ({"tools": [TOOL], "tool_choice": "required"}, ["No.", CALL], "no_call"),
        ({"response_format": {"type": "json_object"}}, ["No.", "{}"], "bad_json"),
    ],
)
async def test_why_an_answer_is_written_again(
    stackspot: StackSpotClient,
    simulator: Simulator,
    heard: list[telemetry.Happening],
    parameters: dict[str, Any],
    answers: list[str],
    reason: str,
) -> None:
    simulator.answer(*answers)
    [event async for event in call(stackspot, **parameters)]
    assert [one.reason for one in of(telemetry.CorrectionAsked, heard)] == [reason]
