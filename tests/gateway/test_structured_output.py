"""Structured output through the proxy: always valid, or a clear error; and the helpers of the clients' libraries."""

import json
from typing import Any, Literal

import instructor
import openai
import pytest
from pydantic import BaseModel

from simulator.client import Simulator
from tests.gateway.calling import CHAT, MESSAGES, RESPONSES, Caller, Reply
from tests.harness import Server

streamed_and_not = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


class Address(BaseModel):
    city: str
    zip: str | None


class Person(BaseModel):
    """Someone whom the text is about."""

    name: str
    age: int
    kind: Literal["author", "reader"]
    addresses: list[Address]


ADA = Person(
    name='Ada "Countess" Lovelace, née Byron', age=36, kind="author", addresses=[Address(city="東京", zip=None)]
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
GOOD: dict[str, Any] = {"name": "Ada </tool_call> 🧑‍💻", "age": 36}
TEXT = json.dumps(GOOD, ensure_ascii=False)


def asked(route: str, kind: str) -> dict[str, Any]:
    """How `route` asks for `kind`: `object`, `schema` or `strict`, the schema with OpenAI's flag."""
    named = {"name": "person", "schema": SCHEMA, **({"strict": True} if kind == "strict" else {})}
    match route:
        case "messages":
            return {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}
        case "responses":
            return {
                "text": {"format": {"type": "json_object"} if kind == "object" else {"type": "json_schema", **named}}
            }
        case _:
            schema = {"type": "json_schema", "json_schema": named}
            return {"response_format": {"type": "json_object"} if kind == "object" else schema}


EVERY_WAY = [(route, kind) for route in (CHAT, RESPONSES) for kind in ("object", "schema", "strict")]
every_way = pytest.mark.parametrize(("route", "kind"), [*EVERY_WAY, (MESSAGES, "schema")])
FINISHED = {CHAT: "stop", MESSAGES: "end_turn", RESPONSES: "completed"}


def ask(caller: Caller, route: str, kind: str, stream: bool) -> Reply:
    usage: dict[str, Any] = {"stream_options": {"include_usage": True}} if route == CHAT and stream else {}
    return caller.ask(route, prompt="Who wrote it?", stream=stream, **asked(route, kind), **usage)


@streamed_and_not
@every_way
@pytest.mark.parametrize(
    "written",
    [
        TEXT,
        f"```json\n{json.dumps(GOOD, indent=2)}\n```",
        f"Of course! Here it is:\n\n{TEXT}\n\nTell me {{if}} you need more.",
        TEXT[:-1] + ",}",
    ],
    ids=["bare", "fenced", "in prose", "trailing comma"],
)
def test_the_json_comes_alone(
    caller: Caller, simulator: Simulator, route: str, kind: str, written: str, stream: bool
) -> None:
    simulator.faults(pieces="characters")
    simulator.answer(written)
    reply = ask(caller, route, kind, stream)
    assert (reply.status, reply.failure, reply.finish) == (200, None, FINISHED[route])
    assert json.loads(reply.text) == GOOD
    (record,) = simulator.requests("/v1/agent/")
    assert "JSON" in record["body"]["user_prompt"]
    assert ('"additionalProperties":false' in record["body"]["user_prompt"]) == (kind != "object")


@streamed_and_not
@every_way
@pytest.mark.parametrize("flawed", ["I do not know.", '{"name": "Ada", "age": ', "[]"], ids=["prose", "cut", "misfit"])
def test_what_is_no_such_json_is_asked_for_once_more(
    caller: Caller, simulator: Simulator, route: str, kind: str, flawed: str, stream: bool
) -> None:
    simulator.answer(
        {"text": flawed, "usage": {"input": 100, "output": 10}}, {"text": TEXT, "usage": {"input": 120, "output": 12}}
    )
    reply = ask(caller, route, kind, stream)
    assert json.loads(reply.text) == GOOD
    assert reply.usage == {"input": 220, "output": 22}
    first, second = (record["body"]["user_prompt"] for record in simulator.requests("/v1/agent/"))
    assert second.startswith(first)
    assert "cannot be used" in second.removeprefix(first)


@streamed_and_not
@pytest.mark.parametrize("route", [CHAT, MESSAGES, RESPONSES])
def test_a_value_that_does_not_fit_the_schema_is_reported_to_the_model(
    caller: Caller, simulator: Simulator, route: str, stream: bool
) -> None:
    simulator.answer('{"name": "Ada", "age": "thirty-six"}', TEXT)
    assert json.loads(ask(caller, route, "schema", stream).text) == GOOD
    assert "'thirty-six' is not of type 'integer'" in simulator.requests("/v1/agent/")[1]["body"]["user_prompt"]


@streamed_and_not
@every_way
def test_what_stays_no_such_json_is_a_clear_error(
    caller: Caller, simulator: Simulator, route: str, kind: str, stream: bool
) -> None:
    simulator.answer("No.", "No, again.", TEXT)
    reply = ask(caller, route, kind, stream)
    failure = reply.failure
    assert failure is not None
    assert reply.status == (200 if stream and route != CHAT else 502)
    assert "did not answer with the JSON that was asked for, also after it was asked to correct" in failure.message
    assert "No." not in reply.raw
    assert len(simulator.requests("/v1/agent/")) == 2


@pytest.mark.parametrize(
    "form",
    [{"type": "xml"}, {"type": "json_schema"}, {"type": "json_schema", "json_schema": {"schema": {"type": "odd"}}}],
    ids=str,
)
def test_a_format_that_is_none_is_refused(caller: Caller, simulator: Simulator, form: Any) -> None:
    reply = caller.ask(response_format=form)
    assert reply.status == 400
    assert simulator.requests() == []


@streamed_and_not
def test_tools_and_a_format_together(caller: Caller, simulator: Simulator, stream: bool) -> None:
    """A call is a call; the answer in text is held to the format."""
    function = {"name": "look", "parameters": {"type": "object", "properties": {}}}
    fields: dict[str, Any] = {**asked(CHAT, "schema"), "tools": [{"type": "function", "function": function}]}
    simulator.answer('<tool_call>{"name": "look", "arguments": {}}</tool_call>', 'Here: {"name": "Ada", "age": 36}')
    assert caller.ask(stream=stream, **fields).finish == "tool_calls"
    assert json.loads(caller.ask(stream=stream, **fields).text) == {"name": "Ada", "age": 36}


@pytest.fixture
def client(gateway: Server) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=gateway.key, max_retries=0)


QUESTION: Any = [{"role": "user", "content": "Who wrote it?"}]


def test_openai_s_parse_of_chat_completions(client: openai.OpenAI, simulator: Simulator) -> None:
    simulator.answer(f"Here you are:\n```json\n{ADA.model_dump_json()}\n```")
    answer = client.chat.completions.parse(model="stackspot", messages=QUESTION, response_format=Person)
    assert answer.choices[0].message.parsed == ADA


def test_openai_s_parse_of_a_stream(client: openai.OpenAI, simulator: Simulator) -> None:
    simulator.answer("Sorry?", ADA.model_dump_json())
    with client.chat.completions.stream(model="stackspot", messages=QUESTION, response_format=Person) as stream:
        assert stream.get_final_completion().choices[0].message.parsed == ADA


def test_openai_s_parse_of_tools(client: openai.OpenAI, simulator: Simulator) -> None:
    call = json.dumps({"name": "Person", "arguments": ADA.model_dump()})
    simulator.answer(f"<tool_call>{call}</tool_call>")
    answer = client.chat.completions.parse(
        model="stackspot", messages=QUESTION, tools=[openai.pydantic_function_tool(Person)]
    )
    (made,) = answer.choices[0].message.tool_calls or []
    assert made.function.parsed_arguments == ADA


def test_openai_s_parse_of_responses(client: openai.OpenAI, simulator: Simulator) -> None:
    simulator.answer(ADA.model_dump_json())
    assert client.responses.parse(model="stackspot", input="Who?", text_format=Person).output_parsed == ADA


@pytest.mark.parametrize(
    "mode",
    [instructor.Mode.TOOLS, instructor.Mode.JSON, instructor.Mode.JSON_SCHEMA, instructor.Mode.MD_JSON],
    ids=str,
)
def test_instructor(client: openai.OpenAI, simulator: Simulator, mode: instructor.Mode) -> None:
    written = ADA.model_dump_json()
    if mode == instructor.Mode.TOOLS:
        written = f'<tool_call>{{"name": "Person", "arguments": {written}}}</tool_call>'
    simulator.answer(written if mode != instructor.Mode.MD_JSON else f"```json\n{written}\n```")
    patched: Any = instructor.from_openai(client, mode=mode)
    answer = patched.chat.completions.create(model="stackspot", messages=QUESTION, response_model=Person, max_retries=0)
    assert answer.model_dump() == ADA.model_dump()
    assert len(simulator.requests("/v1/agent/")) == 1
