"""The key API: OpenAI chat bodies with a bearer key, passed on faithfully.

Known from the project's specification only (section 13 of the wire reference): nobody has shown that it is live.
"""

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from custom_handlers.core.errors import InvalidResponseError, UnknownModelError
from custom_handlers.core.events import MAX_TOKENS, Delta, Event, Finish, Usage
from custom_handlers.http.client import Request
from custom_handlers.http.error_mapping import Service, in_answer
from custom_handlers.http.event_stream import stream_events
from custom_handlers.http.retry import Attempts, Pause
from custom_handlers.http.sse import DONE, ServerSentEvent, TextJoiner
from custom_handlers.http.timeouts import Deadline

PATHS = {
    "stackspot-ai-chat": "/chat/completions",
    "stackspot-ai-code": "/code/completions",
    "stackspot-ai-assistant": "/assistant/completions",
}
# What goes upstream is chosen here, so that nothing else in a request can reach it.
FORWARDED = (
    "temperature",
    "max_tokens",
    "top_p",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "response_format",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "functions",
    "function_call",
)
_TEXT_FIELDS = ("content", "refusal", "reasoning_content")
_FINISH_REASONS = ("stop", "length", "tool_calls", "function_call", "content_filter")


@dataclass(slots=True)
class KeyApi:
    """One account's view of the key API."""

    api_base: str
    api_key: str = field(repr=False)
    pause: Pause = field(default_factory=Pause)

    async def ask(
        self,
        model: str,
        messages: Sequence[Mapping[str, Any]],
        parameters: Mapping[str, Any],
        deadline: Deadline,
        *,
        stream: bool,
        attempts: Attempts | None = None,
    ) -> AsyncGenerator[Event]:
        """The model's answer to OpenAI `messages`: deltas as they arrive, then one Finish. Raises StackSpotError."""
        if model not in PATHS:
            raise UnknownModelError(f"The key API has no model {model!r}; it has {', '.join(PATHS)}.", param="model")
        body: dict[str, Any] = {"model": model, "messages": list(messages), "stream": stream}
        if stream:
            body["stream_options"] = {"include_usage": True}
        body |= {name: parameters[name] for name in FORWARDED if parameters.get(name) is not None}
        request = Request(
            self.api_base + PATHS[model],
            headers={"Authorization": f"Bearer {self.api_key}"},
            json=body,
            service=Service.KEY_API,
        )
        deadline.start_request()
        answer = stream_events(request, ChatCompletionDecoder(), deadline, self.pause, attempts)
        async with aclosing(answer):
            async for event in answer:
                yield event


class ChatCompletionDecoder:
    """OpenAI chat completion chunks, or one whole completion, to events."""

    def __init__(self) -> None:
        self.begun = True  # whatever comes is a sign of life
        self.ended = False
        self._text = TextJoiner()
        self._reason: str | None = None
        self._usage = Usage()
        self._empty = True

    def decode(self, messages: Iterable[ServerSentEvent]) -> Iterator[Event]:
        """The deltas in `messages`. Raises StackSpotError for an error object, after the deltas before it."""
        for name, body in messages:
            self.ended = self.ended or name == DONE
            if self.ended:
                break
            if (error := body.get("error")) or name == "error":
                raise in_answer(error if isinstance(error, Mapping) else body)
            if isinstance(body.get("usage"), Mapping):
                self._usage = Usage(_count(body["usage"], "prompt_tokens"), _count(body["usage"], "completion_tokens"))
            choices = body.get("choices")
            choice = choices[0] if isinstance(choices, list) and choices else None
            if not isinstance(choice, Mapping):
                continue
            if isinstance(choice.get("finish_reason"), str):
                self._reason = choice["finish_reason"]
            if fields := self._fields(choice.get("delta") or choice.get("message")):
                self._empty = False
                yield Delta(fields)

    def flush(self) -> list[Event]:
        """The events left when the body has ended. Raises InvalidResponseError when no end was seen."""
        if self._reason is None:
            raise InvalidResponseError("StackSpot's answer broke off before its end.")
        text = self._text.join("", last=True)
        if self._empty and not text:
            empty = InvalidResponseError("StackSpot's answer is empty: try again.", final=True)
            empty.usage = self._usage
            raise empty
        reason = self._reason if self._reason in _FINISH_REASONS else "stop"
        return [*([Delta({"content": text})] if text else []), Finish(reason, usage=self._usage)]

    def _fields(self, source: object) -> dict[str, Any]:
        """What of a delta is passed on: OpenAI's fields, with values of their types."""
        if not isinstance(source, Mapping):
            return {}
        fields: dict[str, Any] = {name: source[name] for name in _TEXT_FIELDS if isinstance(source.get(name), str)}
        for name, text in fields.items():
            fields[name] = self._text.join(text) if name == "content" else _whole(text)
        if isinstance(calls := source.get("tool_calls"), list):
            fields["tool_calls"] = [_call(call, place) for place, call in enumerate(calls) if isinstance(call, Mapping)]
        if function := _function(source.get("function_call")):
            fields["function_call"] = {"arguments": "", **function}  # LiteLLM wants it always
        return {name: value for name, value in fields.items() if value}


def _call(call: Mapping[str, Any], place: int) -> dict[str, Any]:
    index = call.get("index")
    texts = {name: _whole(call[name]) for name in ("id", "type") if isinstance(call.get(name), str)}
    return {"index": index if type(index) is int else place, **texts, "function": _function(call.get("function"))}


def _function(function: object) -> dict[str, str]:
    known = function if isinstance(function, Mapping) else {}
    return {name: _whole(known[name]) for name in ("name", "arguments") if isinstance(known.get(name), str)}


def _whole(text: str) -> str:
    return TextJoiner().join(text, last=True)


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if type(value) is int and 0 < value <= MAX_TOKENS else None
