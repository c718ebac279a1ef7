"""Events of an answer to what LiteLLM expects: a ModelResponse, or ModelResponseStream chunks."""

import time
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import litellm
from litellm.types.utils import Choices, Delta, Message, ModelResponse, ModelResponseStream, StreamingChoices, Usage

from custom_handlers.wire import events

Messages = Sequence[Mapping[str, Any]]

# Where messages and deltas hold text; pictures and files are elsewhere, and count for nothing.
_TEXT_FIELDS = (
    *("content", "text", "refusal", "reasoning_content", "tool_calls", "function_call"),
    *("function", "custom", "name", "arguments", "input"),
)


async def assemble(answer: events.Events, response: ModelResponse, *, model: str, messages: Messages) -> ModelResponse:
    """Fills LiteLLM's prepared `response` with the whole `answer`. Raises what `answer` raises."""
    text: list[str] = []
    written: list[str] = []
    calls: dict[int, dict[str, Any]] = {}
    others: dict[str, Any] = {}
    end = events.End()
    async for event in answer:
        if isinstance(event, events.End):
            end = event
            continue
        written += _texts(event.fields)
        for name, value in event.fields.items():
            if name == "content":
                text.append(value)
            elif name == "tool_calls":
                _merge_calls(calls, value)
            elif name == "function_call":
                _merge_function(others.setdefault(name, {}), value)
            elif isinstance(value, str):
                others[name] = others.get(name, "") + value
            else:
                others[name] = value
    content = "".join(text)
    message = Message(role="assistant", content=content or None, tool_calls=list(calls.values()) or None, **others)
    if end.extra:
        message.provider_specific_fields = dict(end.extra)
    response.choices = [Choices(index=0, finish_reason=end.reason, message=message)]
    response.model = model
    response.id = _new_id()
    response.usage = _usage(end.usage, messages, written)  # type: ignore[attr-defined]
    return response


async def stream(answer: events.Events, *, model: str, messages: Messages) -> AsyncIterator[ModelResponseStream]:
    """The chunks of `answer`. Raises what `answer` raises.

    Usage goes before the finish chunk, since LiteLLM drops what comes after it and then estimates; every chunk has the
    same id and time and carries `model`, without which a streamed Responses call breaks (seen on 1.108.11).
    """
    fixed: dict[str, Any] = {"id": _new_id(), "created": int(time.time()), "model": model}
    role: dict[str, Any] = {"role": "assistant"}
    written: list[str] = []
    async for event in answer:
        if isinstance(event, events.Delta):
            written += _texts(event.fields)
            yield ModelResponseStream(**fixed, choices=[StreamingChoices(index=0, delta=Delta(**role, **event.fields))])
            role = {}
            continue
        usage = _usage(event.usage, messages, written)
        delta = Delta(provider_specific_fields=dict(event.extra)) if event.extra else None
        choices = [StreamingChoices(index=0, delta=delta)] if delta else []
        yield ModelResponseStream(**fixed, choices=choices, usage=usage)
        yield ModelResponseStream(
            **fixed, choices=[StreamingChoices(index=0, delta=Delta(), finish_reason=event.reason)]
        )


def _usage(counted: events.Usage, messages: Messages, written: Sequence[str]) -> Usage:
    """StackSpot's numbers; what it did not send is counted here, so that no answer is free.

    Text only: LiteLLM's count of whole messages raises for parts that it does not know, and fetches pictures.
    """
    prompt = counted.prompt or litellm.token_counter(model="", text="\n".join(_texts(messages)))
    completion = counted.completion or litellm.token_counter(model="", text="".join(written))
    return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name in _TEXT_FIELDS:
            yield from _texts(value.get(name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)


def _merge_calls(calls: dict[int, dict[str, Any]], deltas: list[dict[str, Any]]) -> None:
    for delta in deltas:
        index = delta.get("index", len(calls))
        call = calls.setdefault(index, {"id": delta.get("id"), "type": "function", "function": {}})
        call["id"] = call["id"] or delta.get("id")
        _merge_function(call["function"], delta.get("function") or {})


def _merge_function(function: dict[str, str], delta: Mapping[str, Any]) -> None:
    for name in ("name", "arguments"):
        function[name] = function.get(name, "") + (delta.get(name) or "")


def _new_id() -> str:
    return f"chatcmpl-{uuid.uuid4()}"
