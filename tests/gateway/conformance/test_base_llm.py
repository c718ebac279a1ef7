"""The cases of LiteLLM's provider tests (`BaseLLMChatTest`, `BaseAnthropicChatTest`), written anew for this provider.

They run in-process, as LiteLLM's own do. Those that do not apply, and why: docs/conformance.md.
"""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from custom_handlers import stackspot_config
from simulator.client import Simulator
from simulator.model.transcript import Transcript
from tests.gateway.remote import PICTURE, RemotePlace
from tests.harness import Account, Server
from tests.lazily import lazily

litellm = lazily("litellm")
MODEL = "stackspot-code"
HELLO = [{"role": "user", "content": "Hello, who are you?"}]
PDF = "data:application/pdf;base64," + base64.b64encode(PICTURE).decode()


@pytest.fixture
def provider(
    monkeypatch: pytest.MonkeyPatch, account: Account, simulator_server: Server, simulator: Simulator
) -> Simulator:
    """The provider as an in-process caller configures it."""
    environ = account.for_gateway(simulator_server.url)
    for name, value in {**environ, "STACKSPOT_UPLOADS": "true", "STACKSPOT_FETCH_IMAGES": "true"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(stackspot_config, "_current", None)
    monkeypatch.setattr("litellm.drop_params", True)
    stackspot_config.configure_stackspot()
    return simulator


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> Iterator[RemotePlace]:
    place = RemotePlace()
    monkeypatch.setattr("litellm.user_url_allowed_hosts", [place.url.removeprefix("http://")], raising=False)
    yield place
    place.close()


def ask(messages: Any = HELLO, **fields: Any) -> Any:
    return litellm.completion(model=MODEL, messages=messages, **fields)


def whole(answer: Any, stream: bool = True) -> Any:
    """The answer, put together if it is streamed."""
    return litellm.stream_chunk_builder(chunks=list(answer)) if stream else answer


def prompt(simulator: Simulator) -> str:
    return str(simulator.requests("/v1/agent/")[-1]["body"]["user_prompt"])


def tool(name: str, **schema: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object", **schema}}}


WEATHER = tool("get_weather", properties={"city": {"type": "string"}}, required=["city"])


def call(name: str, **arguments: Any) -> str:
    return f"<tool_call>{json.dumps({'name': name, 'arguments': arguments})}</tool_call>"


def test_developer_role(provider: Simulator) -> None:
    ask([{"role": "developer", "content": "Be brief."}, *HELLO])
    assert ("SYSTEM", "Be brief.") in Transcript(prompt(provider)).sections


@pytest.mark.parametrize(
    ("make", "content"),
    [(lambda: dict, [{"type": "text", "text": "Hello!"}]), (lambda: litellm.Message, "Hello!")],
    ids=["list of parts", "LiteLLM's object"],
)
def test_forms_of_messages(provider: Simulator, make: Any, content: Any) -> None:
    assert ask([make()(role="user", content=content)]).choices[0].message.content
    assert prompt(provider) == "Hello!"


def test_message_with_name(provider: Simulator) -> None:
    ask([{"role": "user", "content": "Hello!", "name": "ada"}, {"role": "user", "content": "Hi!", "name": "bob"}])
    assert re.match(r"=== USER \(ada\) \w{6} ===\nHello!", prompt(provider))


def test_streaming(provider: Simulator) -> None:
    provider.answer("One two three.")
    provider.faults(header_delay=2.5)
    chunks = list(ask(stream=True, stream_options={"include_usage": True}))
    assert len({chunk.id for chunk in chunks}) == 1
    times = [chunk.created for chunk in chunks]  # the last ones are LiteLLM's own: a second may begin between
    assert max(times) - min(times) <= 1
    assert whole(chunks).choices[0].message.content == "One two three."
    assert whole(chunks).usage.prompt_tokens > 0


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"id": {"type": ["string", "number"]}}, "required": ["id"], "additionalProperties": False},
        {"properties": {"id": {"type": "string", "enum": ["", "7"], "default": ""}}, "required": ["id"]},
        {"$id": "https://x/y", "$schema": "http://json-schema.org/draft-07/schema#", "properties": {"id": {}}},
    ],
    ids=["several types", "empty value in an enum", "identified"],
)
def test_schemas_of_tools(provider: Simulator, schema: dict[str, Any]) -> None:
    provider.answer(call("find", id="7"))
    (made,) = ask(tools=[tool("find", **schema)]).choices[0].message.tool_calls
    assert json.loads(made.function.arguments) == {"id": "7"}


@pytest.mark.parametrize("stream", [False, True])
def test_tool_calling_and_its_result(provider: Simulator, stream: bool) -> None:
    provider.answer(call("get_weather", city="Boston"), "It is 72 °F.")
    answer = whole(ask(tools=[WEATHER], stream=stream), stream)
    (made,) = answer.choices[0].message.tool_calls
    assert (answer.choices[0].finish_reason, made.function.name) == ("tool_calls", "get_weather")
    result = {"role": "tool", "tool_call_id": made.id, "name": made.function.name, "content": "72 °F"}
    answer = ask([*HELLO, answer.choices[0].message.model_dump(), result], tools=[WEATHER])
    assert answer.choices[0].message.content == "It is 72 °F."
    assert f'<tool_response id="{made.id}" name="get_weather">\n72 °F' in prompt(provider)


def test_tool_call_without_arguments_in_the_history(provider: Simulator) -> None:
    function = {"name": "Get-FAQ", "arguments": "{}"}
    made = {"id": "c1", "type": "function", "function": function}
    ask(
        [
            *HELLO,
            {"role": "assistant", "content": "", "tool_calls": [made]},
            {"role": "tool", "tool_call_id": "c1", "content": "None."},
        ]
    )
    assert '<tool_call id="c1">{"name": "Get-FAQ", "arguments": {}}</tool_call>' in prompt(provider)


def test_empty_tools(provider: Simulator) -> None:
    assert ask(tools=[]).choices[0].message.content
    assert prompt(provider) == HELLO[0]["content"]


@pytest.mark.parametrize(
    "fields",
    [{"web_search_options": {}}, {"tools": [{"urlContext": {}}]}, {"tools": [{"type": "web_search"}]}],
    ids=str,
)
def test_what_only_others_serve_is_left_out(provider: Simulator, fields: dict[str, Any]) -> None:
    assert ask(**fields).choices[0].message.content
    assert prompt(provider) == HELLO[0]["content"]


@pytest.mark.parametrize("stream", [False, True])
def test_json_object(provider: Simulator, stream: bool) -> None:
    provider.answer('```json\n{"city": "San Francisco"}\n```')
    answer = whole(ask(response_format={"type": "json_object"}, stream=stream), stream)
    assert json.loads(answer.choices[0].message.content) == {"city": "San Francisco"}


@pytest.mark.parametrize("tools", [None, [WEATHER]], ids=["alone", "with tools"])
def test_text_as_a_format_leads_to_nothing(provider: Simulator, tools: Any) -> None:
    provider.answer("Just text.")
    answer = ask(response_format={"type": "text"}, tools=tools)
    assert answer.choices[0].message.content == "Just text."
    assert "JSON that fits" not in prompt(provider)


class Event(BaseModel):
    name: str
    participants: list[str]


class Events(BaseModel):
    events: list[Event]


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (Event, Event(name="Expo", participants=["Ada"])),
        (Events, Events(events=[Event(name="Expo", participants=[])])),
        ("nested schema", Events(events=[Event(name="Expo", participants=["Ada"])])),
    ],
    ids=["model", "nested model", "nested schema"],
)
def test_pydantic_models_as_formats(provider: Simulator, form: Any, value: BaseModel) -> None:
    if form == "nested schema":
        form = lazily("litellm.llms.base_llm.base_utils").type_to_response_format_param(Events)
    provider.answer(f"Sure!\n{value.model_dump_json()}")
    message = ask(response_format=form, timeout=60).choices[0].message
    assert type(value).model_validate_json(message.content) == value
    assert message.tool_calls is None


def test_formats_streamed_and_not_are_the_same(provider: Simulator) -> None:
    provider.rule('{"name": "Expo", "participants": []}', pattern=".")
    streamed = whole(ask(response_format=Event, stream=True))
    assert streamed.choices[0].message.content == ask(response_format=Event).choices[0].message.content


@pytest.mark.parametrize("form", ["{}", {"url": "{}"}, {"url": "{}", "detail": "low"}], ids=str)
def test_image_by_address(provider: Simulator, remote: RemotePlace, form: Any) -> None:
    address = f"{remote.url}/picture.png"
    form = address if isinstance(form, str) else {**form, "url": address}
    ask([{"role": "user", "content": [{"type": "image_url", "image_url": form}]}])
    assert provider.uploaded(provider.uploads()[0]["id"]) == PICTURE


@pytest.mark.parametrize("sync", [True, False])
@pytest.mark.parametrize("named", ["file_data", "file_id"])
async def test_pdf(provider: Simulator, remote: RemotePlace, named: str, sync: bool) -> None:
    part = {"type": "file", "file": {named: PDF if named == "file_data" else f"{remote.url}/plan.pdf"}}
    messages: Any = [{"role": "user", "content": [part]}]
    answer: Any = ask(messages) if sync else await litellm.acompletion(model=MODEL, messages=messages)
    assert answer.choices[0].message.content
    assert provider.uploaded(provider.uploads()[0]["id"]) == PICTURE


def test_messages_marked_for_a_cache(provider: Simulator) -> None:
    text = {"type": "text", "text": "An agreement. " * 200, "cache_control": {"type": "ephemeral"}}
    usage = ask([{"role": "system", "content": [text]}, {"role": "user", "content": [text]}], max_tokens=10).usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert "cache_control" not in json.dumps(provider.requests("/v1/agent/")[0]["body"])


async def test_completion_cost(provider: Simulator) -> None:
    answer: Any = await litellm.acompletion(model=MODEL, messages=HELLO)
    assert answer._hidden_params["response_cost"] > 0


THINKING = {"thinking": {"type": "enabled", "budget_tokens": 4096}}
FORMATTED = {**THINKING, "response_format": {"type": "text"}}


@pytest.mark.parametrize(
    "fields", [{"reasoning_effort": "low"}, THINKING, {**THINKING, "max_completion_tokens": 20000}, FORMATTED], ids=str
)
def test_reasoning_fields_are_accepted(provider: Simulator, fields: dict[str, Any]) -> None:
    assert ask(**fields).choices[0].message.content
    assert provider.requests("/v1/agent/")[0]["unknown_fields"] == []


@pytest.mark.parametrize("stream", [False, True])
def test_reasoning_that_a_model_writes_is_kept_apart(provider: Simulator, stream: bool) -> None:
    provider.answer("<think>A joke?</think>Knock, knock.")
    message = whole(ask(tools=[WEATHER], stream=stream), stream).choices[0].message
    assert (message.content, message.reasoning_content) == ("Knock, knock.", "A joke?")


def test_sound_is_refused_by_its_place(provider: Simulator) -> None:
    part = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}
    with pytest.raises(litellm.exceptions.BadRequestError, match=r"messages\[0\]\.content\[0\]"):
        ask([{"role": "user", "content": [part]}])
    assert provider.requests() == []
