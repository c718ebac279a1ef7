"""What a call has used: StackSpot's numbers over all questions, our count where it sent none, no refusals."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from custom_handlers.core.errors import InvalidResponseError, RateLimitError, StackSpotError
from custom_handlers.core.events import Delta, Event, Finish, Usage
from custom_handlers.emulation.tokenizer import count, estimate
from custom_handlers.meter import Meter, texts

WORDS = "one two three"


async def said(meter: Meter, *events: Event | StackSpotError, asked: bool = True) -> AsyncGenerator[Event]:
    if asked:
        meter.attempts.take()
    for event in events:
        if isinstance(event, StackSpotError):
            raise event
        yield event


async def listen(meter: Meter, prompt: str, *events: Event | StackSpotError, asked: bool = True) -> None:
    async with aclosing(meter.watch(prompt, said(meter, *events, asked=asked))) as answer:
        async for _ in answer:
            pass


async def test_the_numbers_of_all_questions_are_added() -> None:
    meter = Meter()
    assert meter.usage == Usage(0, 0)
    await listen(meter, "Hi", Delta({"content": WORDS}), Finish(usage=Usage(100, 10)))
    await listen(meter, "Again", Delta({"content": WORDS}), Finish(usage=Usage(200, 20)))
    assert meter.usage == Usage(300, 30)


async def test_what_stackspot_did_not_tell_is_counted() -> None:
    meter = Meter()
    await listen(meter, "Hi there", Delta({"content": WORDS}), Finish(usage=Usage(None, 7)))
    assert meter.usage == Usage(count("Hi there"), 7)
    await listen(meter, "Hi there", Delta({"reasoning_content": WORDS}), Finish())
    assert meter.usage == Usage(2 * count("Hi there"), 7 + count(WORDS))


async def test_an_answer_that_is_left_or_breaks_off_counts_as_far_as_it_came() -> None:
    meter = Meter()
    watched = meter.watch("Hi there", said(meter, Delta({"content": WORDS}), Delta({"content": " four"}), Finish()))
    await anext(watched)
    assert meter.usage == Usage(count("Hi there"), count(WORDS))
    await watched.aclose()
    assert meter.usage == Usage(count("Hi there"), count(WORDS))
    with pytest.raises(InvalidResponseError):
        await listen(meter, "Hi there", Delta({"content": WORDS}), InvalidResponseError("no"))
    assert meter.usage == Usage(2 * count("Hi there"), 2 * count(WORDS))


async def test_the_numbers_of_an_answer_that_is_no_use_count() -> None:
    meter, error = Meter(), InvalidResponseError("empty")
    error.usage = Usage(50, 5)
    with pytest.raises(InvalidResponseError):
        await listen(meter, "Hi there", error)
    assert meter.usage == Usage(50, 5)


async def test_what_was_not_asked_or_refused_costs_nothing() -> None:
    meter = Meter()
    await listen(meter, "Hi there", Delta({"content": WORDS}), Finish(usage=Usage(100, 10)))
    with pytest.raises(RateLimitError):
        await listen(meter, "Hi there", RateLimitError("no"), asked=False)
    assert meter.usage == Usage(100, 10)


@pytest.mark.parametrize("sent", [Usage(), Usage(12, None), Usage(None, 3), Usage(0, 0)])
@pytest.mark.parametrize(
    "delta",
    [
        {"content": WORDS},
        {"tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "read", "arguments": "{}"}}]},
    ],
    ids=["text", "calls"],
)
async def test_nothing_that_was_answered_is_free(sent: Usage, delta: dict[str, Any]) -> None:
    meter = Meter()
    await listen(meter, "Count to three, please.", Delta(delta), Finish(usage=sent))
    assert meter.usage.prompt == (sent.prompt or count("Count to three, please."))
    assert (meter.usage.completion or 0) > 0
    assert not sent.completion or meter.usage.completion == sent.completion


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ([{"type": "text", "text": "Hi"}, {"type": "image_url", "image_url": {"url": "http://127.0.0.1:1/x"}}], ["Hi"]),
        ([{"type": "input_text", "text": "Hi"}, {"type": "document", "source": {}}], ["Hi"]),
        ([7, None, "Hi"], ["Hi"]),
        (None, []),
        ("a \ud83d b", ["a \ud83d b"]),
    ],
)
def test_the_text_in_whatever_was_asked(content: Any, found: list[str]) -> None:
    assert list(texts([{"role": "user", "content": content}])) == found
    assert estimate("".join(found)) >= len(found)
