"""What a call has used: StackSpot's numbers over all questions, our count where it sent none, no refusals."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from custom_handlers.emulation.tokenizer import count
from custom_handlers.meter import Meter
from custom_handlers.wire.errors import BrokenAnswer, RateLimited, StackSpotError
from custom_handlers.wire.events import Delta, End, Event, Usage

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
    await listen(meter, "Hi", Delta({"content": WORDS}), End(usage=Usage(100, 10)))
    await listen(meter, "Again", Delta({"content": WORDS}), End(usage=Usage(200, 20)))
    assert meter.usage == Usage(300, 30)


async def test_what_stackspot_did_not_tell_is_counted() -> None:
    meter = Meter()
    await listen(meter, "Hi there", Delta({"content": WORDS}), End(usage=Usage(None, 7)))
    assert meter.usage == Usage(count("Hi there"), 7)
    await listen(meter, "Hi there", Delta({"reasoning_content": WORDS}), End())
    assert meter.usage == Usage(2 * count("Hi there"), 7 + count(WORDS))


async def test_an_answer_that_is_left_or_breaks_off_counts_as_far_as_it_came() -> None:
    meter = Meter()
    watched = meter.watch("Hi there", said(meter, Delta({"content": WORDS}), Delta({"content": " four"}), End()))
    await anext(watched)
    assert meter.usage == Usage(count("Hi there"), count(WORDS))
    await watched.aclose()
    assert meter.usage == Usage(count("Hi there"), count(WORDS))
    with pytest.raises(BrokenAnswer):
        await listen(meter, "Hi there", Delta({"content": WORDS}), BrokenAnswer("no"))
    assert meter.usage == Usage(2 * count("Hi there"), 2 * count(WORDS))


async def test_the_numbers_of_an_answer_that_is_no_use_count() -> None:
    meter, error = Meter(), BrokenAnswer("empty")
    error.usage = Usage(50, 5)
    with pytest.raises(BrokenAnswer):
        await listen(meter, "Hi there", error)
    assert meter.usage == Usage(50, 5)


async def test_what_was_not_asked_or_refused_costs_nothing() -> None:
    meter = Meter()
    await listen(meter, "Hi there", Delta({"content": WORDS}), End(usage=Usage(100, 10)))
    with pytest.raises(RateLimited):
        await listen(meter, "Hi there", RateLimited("no"), asked=False)
    assert meter.usage == Usage(100, 10)
