"""The key API: OpenAI chat bodies with a bearer key, passed on faithfully.

Known from the project's specification only (section 13 of the wire reference): nobody has shown that it is live.
"""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from custom_handlers import transport
from custom_handlers.errors import BrokenAnswer, UnknownModel, in_answer
from custom_handlers.events import Delta, End, Event, Usage
from custom_handlers.sse import DONE, Message, MessageReader, TextJoiner

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
_DELTA_FIELDS = ("content", "tool_calls", "function_call", "refusal", "reasoning_content")


@dataclass(slots=True)
class KeyApi:
    """One account's view of the key API."""

    api_base: str
    api_key: str = field(repr=False)
    pause: transport.Pause = field(default_factory=transport.Pause)

    async def ask(
        self,
        model: str,
        messages: Sequence[Mapping[str, Any]],
        parameters: Mapping[str, Any],
        limits: transport.Limits,
        *,
        stream: bool,
    ) -> AsyncGenerator[Event]:
        """The model's answer to OpenAI `messages`: deltas as they arrive, then one End. Raises StackSpotError."""
        if model not in PATHS:
            raise UnknownModel(f"The key API has no model {model!r}; it has {', '.join(PATHS)}.", param="model")
        body: dict[str, Any] = {"model": model, "messages": list(messages), "stream": stream}
        if stream:
            body["stream_options"] = {"include_usage": True}
        body |= {name: parameters[name] for name in FORWARDED if parameters.get(name) is not None}
        request = transport.Request(
            self.api_base + PATHS[model], headers={"Authorization": f"Bearer {self.api_key}"}, json=body
        )
        deadline = transport.Deadline(limits)
        async with transport.exchange(request, deadline, self.pause) as response:
            pieces = transport.pieces(response, deadline)
            reader, answer = MessageReader(), CompletionReader()
            async for piece in pieces:
                deadline.progress()
                for event in answer.read(reader.feed(piece)):
                    yield event
                if answer.done:
                    await transport.drain(pieces)
                    break
            for event in answer.read(reader.finish()):
                yield event
            yield answer.finish()


class CompletionReader:
    """OpenAI chat completion chunks, or one whole completion, to events."""

    def __init__(self) -> None:
        self.done = False
        self._text = TextJoiner()
        self._reason: str | None = None
        self._usage = Usage()
        self._empty = True

    def read(self, messages: Iterable[Message]) -> list[Event]:
        """The deltas in `messages`. Raises BrokenAnswer for an error object."""
        events: list[Event] = []
        for name, body in messages:
            if name == DONE:
                self.done = True
                break
            if name == "error" or isinstance(error := body.get("error"), Mapping):
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
                events.append(Delta(fields))
                self._empty = False
        return events

    def finish(self) -> End:
        """Raises BrokenAnswer when no end was seen."""
        if self._reason is None:
            raise BrokenAnswer("StackSpot's answer broke off before its end.")
        if self._empty:
            raise BrokenAnswer("StackSpot's answer is empty: try again.")
        return End(self._reason, usage=self._usage)

    def _fields(self, source: object) -> dict[str, Any]:
        if not isinstance(source, Mapping):
            return {}
        fields = {name: source[name] for name in _DELTA_FIELDS if source.get(name)}
        if isinstance(fields.get("content"), str):
            fields["content"] = self._text.join(fields["content"])
        if isinstance(calls := fields.get("tool_calls"), list):
            fields["tool_calls"] = [{"index": index, **call} for index, call in enumerate(calls)]
        return fields


def _count(usage: Mapping[str, Any], name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) and value > 0 else None
