"""Events of an answer to what LiteLLM expects: a ModelResponse, or ModelResponseStream chunks."""

import time
import uuid
from collections.abc import AsyncIterator, Mapping
from typing import Any

from litellm.types.utils import Choices, Delta, Message, ModelResponse, ModelResponseStream, StreamingChoices, Usage

from custom_handlers.core import events


async def to_model_response(answer: events.Events, response: ModelResponse, *, model: str) -> ModelResponse:
    """Fills LiteLLM's prepared `response` with the whole `answer`. Raises what `answer` raises."""
    text: list[str] = []
    calls: dict[int, dict[str, Any]] = {}
    others: dict[str, Any] = {}
    end = events.Finish()
    async for event in answer:
        if isinstance(event, events.Finish):
            end = event
            continue
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
    response.choices = [Choices(index=0, finish_reason=end.finish_reason, message=message)]
    response.model = model
    response.id = _new_id()
    response.usage = _usage(end.usage)  # type: ignore[attr-defined]
    return response


async def to_chunks(answer: events.Events, *, model: str) -> AsyncIterator[ModelResponseStream]:
    """The chunks of `answer`. Raises what `answer` raises.

    Usage goes before the finish chunk, since LiteLLM drops what comes after it and then estimates; every chunk has the
    same id and time and carries `model`, without which a streamed Responses call breaks (seen on 1.108.11).
    """
    fixed: dict[str, Any] = {"id": _new_id(), "model": model}
    role: dict[str, Any] = {"role": "assistant"}
    async for event in answer:
        # Not earlier: LiteLLM writes the last chunks itself, with the time at which it was given the first.
        fixed.setdefault("created", int(time.time()))
        if isinstance(event, events.Delta):
            yield ModelResponseStream(**fixed, choices=[StreamingChoices(index=0, delta=Delta(**role, **event.fields))])
            role = {}
            continue
        usage = _usage(event.usage)
        delta = Delta(provider_specific_fields=dict(event.extra)) if event.extra else None
        choices = [StreamingChoices(index=0, delta=delta)] if delta else []
        yield ModelResponseStream(**fixed, choices=choices, usage=usage)
        yield ModelResponseStream(
            **fixed, choices=[StreamingChoices(index=0, delta=Delta(), finish_reason=event.finish_reason)]
        )


def usage_chunk(usage: events.Usage, *, model: str) -> ModelResponseStream:
    """A chunk that LiteLLM keeps to itself: by it a stream is charged that ends in an error."""
    return ModelResponseStream(id=_new_id(), model=model, choices=[], usage=_usage(usage))


def _usage(counted: events.Usage) -> Usage:
    prompt, completion = counted.prompt or 0, counted.completion or 0
    return Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)


def _merge_calls(calls: dict[int, dict[str, Any]], deltas: list[dict[str, Any]]) -> None:
    for delta in deltas:
        index = delta.get("index", len(calls))
        kind, text = ("custom", "input") if "custom" in delta else ("function", "arguments")
        call = calls.setdefault(index, {"id": delta.get("id"), "type": kind, kind: {}})
        call["id"] = call["id"] or delta.get("id")
        _merge_function(call[kind], delta.get(kind) or {}, text)


def _merge_function(function: dict[str, str], delta: Mapping[str, Any], text: str = "arguments") -> None:
    for name in ("name", text):
        function[name] = function.get(name, "") + (delta.get(name) or "")


def _new_id() -> str:
    return f"chatcmpl-{uuid.uuid4()}"
