"""Events to LiteLLM's answers: the same text streamed and not, one id, usage before the end."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from custom_handlers.core.errors import InvalidResponseError
from custom_handlers.core.events import Delta, Event, Finish, Usage
from tests.lazily import lazily

responses = lazily("custom_handlers.litellm_adapter.responses")
utils = lazily("litellm.types.utils")

TEXT: list[Event] = [Delta({"content": "one "}), Delta({"content": "two "}), Delta({"content": "three"})]
CALL = {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": '{"a": '}}
CALLS: list[Event] = [
    Delta({"tool_calls": [{"index": 0, **CALL}]}),
    Delta({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}),
    Delta({"tool_calls": [{"index": 1, "id": "call_2", "function": {"name": "list"}}]}),
]


async def of(events: list[Event]) -> AsyncIterator[Event]:
    for event in events:
        yield event


async def whole(*events: Event) -> Any:
    return await responses.to_model_response(of([*events]), utils.ModelResponse(), model="stackspot-code")


async def chunks(*events: Event) -> list[Any]:
    return [chunk async for chunk in responses.to_chunks(of([*events]), model="stackspot-code")]


async def test_the_text_is_the_same_streamed_and_not() -> None:
    answer = await whole(*TEXT, Finish())
    streamed = await chunks(*TEXT, Finish())
    texts = [choice.delta.content or "" for chunk in streamed for choice in chunk.choices]
    assert answer.choices[0].message.content == "".join(texts) == "one two three"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "stackspot-code"


async def test_all_chunks_of_a_stream_are_one_answer() -> None:
    first, second = await chunks(*TEXT, Finish()), await chunks(*TEXT, Finish())
    for streamed in (first, second):
        assert len({(chunk.id, chunk.created, chunk.model) for chunk in streamed}) == 1
        assert streamed[0].id.startswith("chatcmpl-")
        assert streamed[0].model == "stackspot-code"
    assert first[0].id != second[0].id


async def test_the_role_comes_once_and_first() -> None:
    streamed = await chunks(*TEXT, Finish())
    assert [choice.delta.role for chunk in streamed for choice in chunk.choices] == ["assistant", None, None, None]


async def test_usage_comes_before_the_end() -> None:
    *_, usage, end = await chunks(*TEXT, Finish("length", Usage(12, 3)))
    assert usage.usage.model_dump(include={"prompt_tokens", "completion_tokens", "total_tokens"}) == {
        "prompt_tokens": 12,
        "completion_tokens": 3,
        "total_tokens": 15,
    }
    assert end.choices[0].finish_reason == "length"
    assert not end.choices[0].delta.content


async def test_tool_calls_are_put_together() -> None:
    answer = await whole(*CALLS, Finish("tool_calls"))
    message = answer.choices[0].message
    assert message.content is None
    assert [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls] == [
        ("call_1", "read", '{"a": 1}'),
        ("call_2", "list", ""),
    ]
    assert answer.choices[0].finish_reason == "tool_calls"


async def test_a_custom_call_stays_one() -> None:
    said: list[Event] = [
        Delta(
            {"tool_calls": [{"index": 0, "id": "call_1", "type": "custom", "custom": {"name": "patch", "input": ""}}]}
        ),
        Delta({"tool_calls": [{"index": 0, "custom": {"input": "*** Begin"}}]}),
        Delta({"tool_calls": [{"index": 0, "custom": {"input": "\n"}}]}),
    ]
    (call,) = (await whole(*said, Finish("tool_calls"))).choices[0].message.tool_calls
    assert (call.id, call.type, call.custom.name, call.custom.input) == ("call_1", "custom", "patch", "*** Begin\n")
    pieces: list[Any] = [
        c for chunk in await chunks(*said, Finish()) for choice in chunk.choices for c in choice.delta.tool_calls or []
    ]
    assert [piece.custom.input for piece in pieces] == ["", "*** Begin", "\n"]
    assert pieces[0].type == "custom"


async def test_a_refusal_is_one_streamed_and_not() -> None:
    said: list[Event] = [Delta({"refusal": "I cannot."})]
    assert (await whole(*said, Finish())).choices[0].message.refusal == "I cannot."
    streamed = [choice.delta for chunk in await chunks(*said, Finish()) for choice in chunk.choices]
    assert next(getattr(delta, "refusal", None) for delta in streamed) == "I cannot."


async def test_tool_calls_are_streamed_as_they_come() -> None:
    streamed = await chunks(*CALLS, Finish("tool_calls"))
    pieces: list[Any] = [
        call for chunk in streamed for choice in chunk.choices for call in choice.delta.tool_calls or []
    ]
    assert [(piece.index, piece.id, piece.function.name, piece.function.arguments) for piece in pieces] == [
        (0, "call_1", "read", '{"a": '),
        (0, None, None, "1}"),
        (1, "call_2", "list", ""),
    ]


async def test_other_fields_are_put_together() -> None:
    said: list[Event] = [
        Delta({"reasoning_content": "Hm, "}),
        Delta({"reasoning_content": "well"}),
        Delta({"function_call": {"name": "read", "arguments": ""}}),
        Delta({"function_call": {"arguments": "{}"}}),
    ]
    message = (await whole(*said, Finish())).choices[0].message
    assert message.reasoning_content == "Hm, well"
    assert (message.function_call.name, message.function_call.arguments) == ("read", "{}")


async def test_knowledge_goes_with_the_answer() -> None:
    extra = {"stackspot_knowledge": {"knowledge_source_id": ["mine"]}}
    answer = await whole(*TEXT, Finish(extra=extra))
    assert answer.choices[0].message.provider_specific_fields == extra
    streamed = await chunks(*TEXT, Finish(extra=extra))
    fields = [getattr(choice.delta, "provider_specific_fields", None) for chunk in streamed for choice in chunk.choices]
    assert [field for field in fields if field] == [extra]


async def test_an_error_is_handed_on_after_what_came_before_it() -> None:
    async def broken() -> AsyncIterator[Event]:
        yield TEXT[0]
        raise InvalidResponseError("no")

    found = []
    with pytest.raises(InvalidResponseError):  # noqa: PT012
        async for chunk in responses.to_chunks(broken(), model="m"):
            found.append(chunk)
    assert [chunk.choices[0].delta.content for chunk in found] == ["one "]
    with pytest.raises(InvalidResponseError):
        await responses.to_model_response(broken(), utils.ModelResponse(), model="m")
