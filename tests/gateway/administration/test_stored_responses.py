"""Responses with memory, by OpenAI's SDK: a conversation goes on by its last answer's id, for the key that asked."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from simulator.client import Simulator
from tests.developers import Developer, hire, spend
from tests.gateway.tooling import LOOK
from tests.harness import Server
from tests.waiting import eventually

MODEL = "stackspot-code"
TOOLS: Any = [{"type": "function", "name": "look", "description": "Looks.", "parameters": LOOK, "strict": False}]
CALL = '<tool_call>{"name": "look", "arguments": {"at": "map"}}</tool_call>'
streamed_and_not = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


def client_of(gateway: Server, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=key, max_retries=0)


@pytest.fixture(scope="module")
def developer(team_gateway_server: Server) -> Developer:
    return hire(team_gateway_server)


@pytest.fixture(scope="module")
def only_sdk(team_gateway_server: Server, developer: Developer) -> Iterator[openai.OpenAI]:
    with client_of(team_gateway_server, developer.key) as client:
        yield client


@pytest.fixture
def sdk(only_sdk: openai.OpenAI, simulator: Simulator) -> openai.OpenAI:
    return only_sdk


def ask(sdk: openai.OpenAI, said: Any, *, stream: bool = False, **more: Any) -> Any:
    """The answer as the SDK has it at the end of the stream, whose events all have its id."""
    if not stream:
        return sdk.responses.create(model=MODEL, input=said, **more)
    *events, last = sdk.responses.create(model=MODEL, input=said, stream=True, **more)
    told = [event.response for event in events if event.type in ("response.created", "response.in_progress")]
    assert {(one.id, one.previous_response_id) for one in told} == {
        (last.response.id, more.get("previous_response_id"))
    }
    return last.response


def prompt(simulator: Simulator) -> str:
    return str(simulator.requests("/v1/agent/")[-1]["body"]["user_prompt"])


def in_order(text: str, *parts: str) -> bool:
    places = [text.find(part) for part in parts]
    return -1 not in places and places == sorted(places)


@streamed_and_not
def test_a_conversation_goes_on_by_the_id_of_its_last_answer(
    sdk: openai.OpenAI, simulator: Simulator, stream: bool
) -> None:
    simulator.answer("Noted.", "You are Ada.", "In Paris.")
    first = ask(sdk, "I am Ada, in Paris.", stream=stream, instructions="Be brief.")
    second = ask(sdk, "Who am I?", stream=stream, previous_response_id=first.id)
    third = ask(sdk, "And where?", stream=stream, previous_response_id=second.id)
    parts = ("I am Ada, in Paris.", "Noted.", "Who am I?", "You are Ada.", "And where?")
    assert in_order(prompt(simulator), *parts)
    assert "Be brief." not in prompt(simulator)  # as at OpenAI, each request has its own
    assert (third.previous_response_id, third.output_text) == (second.id, "In Paris.")
    assert first.previous_response_id is None
    branch = ask(sdk, "Or not?", stream=stream, previous_response_id=first.id)
    assert in_order(prompt(simulator), "Noted.", "Or not?")
    assert "Who am I?" not in prompt(simulator)
    assert len({first.id, second.id, third.id, branch.id}) == 4


@streamed_and_not
def test_calls_of_tools_go_on_with_their_results(sdk: openai.OpenAI, simulator: Simulator, stream: bool) -> None:
    simulator.answer(f"I look.\n{CALL}", "It is an island.")
    first = ask(sdk, "What is there?", stream=stream, tools=TOOLS)
    (called,) = (item for item in first.output if item.type == "function_call")
    result = {"type": "function_call_output", "call_id": called.call_id, "output": "an island"}
    second = ask(sdk, [result], stream=stream, tools=TOOLS, previous_response_id=first.id)
    assert second.output_text == "It is an island."
    assert in_order(prompt(simulator), "What is there?", "I look.", '"map"', "an island")


@streamed_and_not
def test_references_stand_for_earlier_items(sdk: openai.OpenAI, simulator: Simulator, stream: bool) -> None:
    """As the Vercel AI SDK sends its history by default."""
    simulator.answer(f"I look.\n{CALL}", "It is an island.", "No.")
    question = {"role": "user", "content": "What is there?"}
    first = ask(sdk, [question], stream=stream, tools=TOOLS)
    references = [{"type": "item_reference", "id": item.id} for item in first.output]
    (called,) = (item for item in first.output if item.type == "function_call")
    result = {"type": "function_call_output", "call_id": called.call_id, "output": "an island"}
    history = [question, *references, result]
    second = ask(sdk, history, stream=stream, tools=TOOLS)
    references = [{"type": "item_reference", "id": item.id} for item in second.output]
    third = ask(sdk, [*history, *references, {"role": "user", "content": "Sure?"}], stream=stream, tools=TOOLS)
    parts = ("What is there?", "I look.", '"map"', "an island", "It is an island.", "Sure?")
    assert in_order(prompt(simulator), *parts)
    ask(sdk, "Really?", stream=stream, previous_response_id=third.id)
    assert in_order(prompt(simulator), *parts, "No.", "Really?")


def test_an_answer_is_read_and_deleted(sdk: openai.OpenAI, simulator: Simulator) -> None:
    simulator.answer("Noted.")
    first = ask(sdk, "I am Ada.", metadata={"for": "a test"})
    assert sdk.responses.retrieve(first.id).model_dump() == first.model_dump()
    second = ask(sdk, [{"role": "user", "content": "One."}, {"role": "user", "content": "Two."}])
    newest, oldest = sdk.responses.input_items.list(second.id).data
    assert [item.content for item in (newest, oldest)] == ["Two.", "One."]  # type: ignore[union-attr]
    page = sdk.responses.input_items.list(second.id, order="asc", limit=1)
    assert (page.data[0].id, page.has_more) == (oldest.id, True)
    assert [item.id for item in page] == [oldest.id, newest.id]  # the SDK asks for the rest
    with pytest.raises(openai.BadRequestError, match="background"):
        sdk.responses.cancel(first.id)
    sdk.responses.delete(first.id)
    for gone in (sdk.responses.retrieve, sdk.responses.delete, sdk.responses.cancel, sdk.responses.input_items.list):
        with pytest.raises(openai.NotFoundError, match="not found"):
            gone(first.id)
    with pytest.raises(openai.BadRequestError) as caught:
        ask(sdk, "Who am I?", previous_response_id=first.id)
    assert caught.value.code == "previous_response_not_found"
    assert len(simulator.requests("/v1/agent/")) == 2


def outcome(sdk: openai.OpenAI, what: str, its_id: str) -> tuple[int, Any]:
    """Status and error of what is not to be had, without the id that was asked for."""
    steps: dict[str, Any] = {
        "read": lambda: sdk.responses.retrieve(its_id),
        "list": lambda: sdk.responses.input_items.list(its_id),
        "delete": lambda: sdk.responses.delete(its_id),
        "cancel": lambda: sdk.responses.cancel(its_id),
        "continue": lambda: ask(sdk, "Hi", previous_response_id=its_id),
        "refer": lambda: ask(sdk, [{"type": "item_reference", "id": its_id}, {"role": "user", "content": "Hi"}]),
    }
    with pytest.raises(openai.APIStatusError) as caught:
        steps[what]()
    return caught.value.status_code, json.loads(json.dumps(caught.value.body).replace(its_id[:100], "ID"))


STATUS = {"read": 404, "list": 404, "delete": 404, "cancel": 404, "continue": 400, "refer": 404}


@pytest.mark.parametrize("what", STATUS)
def test_another_key_gets_what_an_unknown_id_gets(
    sdk: openai.OpenAI, team_gateway: Server, simulator: Simulator, what: str
) -> None:
    kept = ask(sdk, "I am Ada, and this is mine.")
    its_id = kept.output[0].id if what == "refer" else kept.id
    for key in (hire(team_gateway).key, team_gateway.key):  # the master key is a key like the others
        with client_of(team_gateway, key) as other:
            assert outcome(other, what, its_id) == outcome(other, what, "resp_" + "0" * 120)
            assert outcome(other, what, its_id)[0] == STATUS[what]
    assert sdk.responses.retrieve(kept.id).output_text == kept.output_text
    assert len(simulator.requests("/v1/agent/")) == 1


def test_a_key_that_litellm_refuses_reaches_nothing(team_gateway: Server, simulator: Simulator) -> None:
    leaver = hire(team_gateway)
    with client_of(team_gateway, leaver.key) as sdk, client_of(team_gateway, team_gateway.key) as administrator:
        kept = ask(sdk, "I am Ada.")
        administrator.post("../key/delete", body={"keys": [leaver.key]}, cast_to=object)
        for what in STATUS:
            assert outcome(sdk, what, kept.id)[0] == 401
    assert len(simulator.requests("/v1/agent/")) == 1
    assert httpx.get(f"{team_gateway.url}/v1/responses/{kept.id}").status_code == 401


def test_nothing_is_kept_of_what_is_not_to_be_stored(sdk: openai.OpenAI, simulator: Simulator) -> None:
    first = ask(sdk, "I am Ada.")
    unkept = ask(sdk, "Who am I?", previous_response_id=first.id, store=False)
    assert "I am Ada." in prompt(simulator)
    assert outcome(sdk, "read", unkept.id)[0] == 404
    assert outcome(sdk, "refer", unkept.output[0].id)[0] == 404


def test_limits_and_spend_are_for_the_whole_conversation(
    sdk: openai.OpenAI, team_gateway: Server, developer: Developer, simulator: Simulator
) -> None:
    before = spend(team_gateway, developer)
    first = ask(sdk, "word " * 3000)
    second = ask(sdk, "Go on.", previous_response_id=first.id)
    assert second.usage.input_tokens > 3000
    used = sum(one.usage.total_tokens for one in (first, second)) / 1e6
    eventually(lambda: spend(team_gateway, developer) - before >= used * 0.999, "both are in the spend", seconds=30)
    many = ask(sdk, [{"role": "user", "content": "x"}] * 1500)
    with pytest.raises(openai.BadRequestError, match="STACKSPOT_MAX_MESSAGES"):
        ask(sdk, [{"role": "user", "content": "y"}] * 500, previous_response_id=many.id)


@pytest.mark.parametrize("id_", [7, ["resp_1"], {"id": "resp_1"}])
def test_an_id_of_another_type_is_refused(sdk: openai.OpenAI, id_: Any) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(sdk, "Hi", previous_response_id=id_)
    assert caught.value.param == "previous_response_id"
    with pytest.raises(openai.BadRequestError) as caught:
        ask(sdk, [{"type": "item_reference", "id": id_}])
    assert caught.value.param == "input[0].id"
