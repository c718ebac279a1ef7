"""What one call has used so far: the tokens of all that StackSpot was asked for it, whatever became of the answers."""

import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from typing import Any

from custom_handlers.core import telemetry
from custom_handlers.core.errors import StackSpotError
from custom_handlers.core.events import Event, Finish, Usage
from custom_handlers.emulation.tokenizer import estimate
from custom_handlers.http.retry import Attempts

# Where messages and deltas hold text; pictures and files are elsewhere, and count for nothing.
_TEXT_FIELDS = (
    *("content", "text", "refusal", "reasoning_content", "tool_calls", "function_call"),
    *("function", "custom", "name", "arguments", "input"),
)


class Meter:
    """One call's questions. StackSpot's numbers count; what it did not send is counted here.

    `model` is for telemetry; `complete` is set by the code that has passed on the end of the whole answer.
    """

    def __init__(self, model: str = "") -> None:
        self.model, self.complete = model, False
        self.attempts = Attempts()
        self._before = Usage(0, 0)  # of the questions before the last one
        self._last: _Question | None = None

    @property
    def usage(self) -> Usage:
        """Both numbers, at any moment; zero while StackSpot has not been asked."""
        return self._before + self._of_last()

    async def watch(self, prompt: str | Callable[[], str], answer: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
        """`answer` to one question, as it is."""
        self._before, self._last = self.usage, _Question(prompt)
        self.attempts.asked = False
        first: float | None = None
        async with aclosing(answer):
            try:
                async for event in answer:
                    self._last.note(event)
                    if isinstance(event, Finish):
                        self._tell_answered(first)
                    elif first is None:
                        first = time.monotonic() - self.attempts.sent
                    yield event
            except StackSpotError as error:
                self._last.reported = error.usage or self._last.reported
                if self.attempts.asked:
                    self._tell_answered(first)
                raise

    def _tell_answered(self, first: float | None) -> None:
        total = time.monotonic() - self.attempts.sent
        telemetry.tell(telemetry.UpstreamAnswered(self.model, first, total))

    def _of_last(self) -> Usage:
        return self._last.usage if self._last and self.attempts.asked else Usage(0, 0)


class _Question:
    def __init__(self, prompt: str | Callable[[], str]) -> None:
        self.reported = Usage()
        self._prompt = prompt
        self._prompt_tokens: int | None = None
        self._written: list[str] = []

    def note(self, event: Event) -> None:
        if isinstance(event, Finish):
            self.reported = event.usage
        else:
            self._written += texts(event.fields)

    @property
    def usage(self) -> Usage:
        prompt = self.reported.prompt or self._prompt_tokens
        if prompt is None:
            prompt = self._prompt_tokens = estimate(self._prompt if isinstance(self._prompt, str) else self._prompt())
        return Usage(prompt, self.reported.completion or estimate("".join(self._written)))


def texts(value: Any) -> Iterator[str]:
    """All text in messages or in a delta."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name in _TEXT_FIELDS:
            yield from texts(value.get(name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)
