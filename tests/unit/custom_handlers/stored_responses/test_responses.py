"""What is kept of an answer makes the conversation again, for its owner and for nobody else."""

import asyncio
import hashlib
from collections.abc import Coroutine
from typing import Any

import orjson
import pytest

from custom_handlers.stored_responses.local import LocalStore
from custom_handlers.stored_responses.responses import (
    StoredResponses,
    TooLargeError,
    UnknownItemError,
    UnknownResponseError,
    is_reference,
    owner_of,
)
from custom_handlers.stored_responses.sealing import Seal

MOST = 10_000
ADA, BOB = "a" * 64, "b" * 64


def user(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": text}


def said(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "id": f"msg_{text}", "content": text}


def reference(text: str) -> dict[str, Any]:
    return {"type": "item_reference", "id": f"msg_{text}"}


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


async def keep(stored: StoredResponses, number: int, *given: Any, after: int | None = None) -> None:
    before = None if after is None else await stored.conversation(ADA, f"resp_{after}", 10 * MOST)
    response = {"id": f"resp_{number}", "object": "response", "output": [said(f"answer {number}")]}
    await stored.keep(ADA, response, orjson.dumps(given), before)


def test_a_chain_is_the_whole_conversation() -> None:
    async def steps() -> None:
        stored = StoredResponses(LocalStore(60))
        await keep(stored, 1, user("one"))
        for number in range(2, 121):  # more than are fetched at once
            await keep(stored, number, user(f"turn {number}"), after=number - 1)
        found = await stored.conversation(ADA, "resp_120", 10 * MOST)
        assert len(found.items) == 240
        assert found.items[:2] == [user("one"), said("answer 1")]
        assert found.items[-2:] == [user("turn 120"), said("answer 120")]

    run(steps())


def test_a_branch_does_not_see_the_other() -> None:
    async def steps() -> None:
        stored = StoredResponses(LocalStore(60))
        await keep(stored, 1, user("one"))
        await keep(stored, 2, user("left"), after=1)
        await keep(stored, 3, user("right"), after=1)
        items = (await stored.conversation(ADA, "resp_3", MOST)).items
        assert items == [user("one"), said("answer 1"), user("right"), said("answer 3")]

    run(steps())


def test_another_owner_finds_nothing() -> None:
    async def steps() -> None:
        stored = StoredResponses(LocalStore(60))
        await keep(stored, 1, user("one"))
        with pytest.raises(UnknownResponseError):
            await stored.find(BOB, "resp_1")
        with pytest.raises(UnknownResponseError):
            await stored.forget(BOB, "resp_1")
        with pytest.raises(UnknownResponseError):
            await stored.conversation(BOB, "resp_1", MOST)
        with pytest.raises(UnknownItemError):
            await stored.resolved(BOB, [reference("answer 1")], MOST)
        assert (await stored.find(ADA, "resp_1")).input == [user("one")]

    run(steps())


def test_what_is_deleted_ends_the_conversations_that_held_it() -> None:
    async def steps() -> None:
        store = LocalStore(60)
        stored = StoredResponses(store)
        await keep(stored, 1, user("one"))
        await keep(stored, 2, user("two"), after=1)
        await stored.forget(ADA, "resp_1")
        with pytest.raises(UnknownResponseError) as caught:
            await stored.conversation(ADA, "resp_2", MOST)
        assert str(caught.value) == "resp_2"
        with pytest.raises(UnknownItemError):
            await stored.resolved(ADA, [reference("answer 1")], MOST)
        await stored.forget(ADA, "resp_2")
        assert store.size == 0

    run(steps())


def test_references_are_what_they_stand_for() -> None:
    async def steps() -> None:
        stored = StoredResponses(LocalStore(60))
        await keep(stored, 1, user("one"))
        await keep(stored, 2, user("one"), reference("answer 1"), user("two"))
        items = (await stored.conversation(ADA, "resp_2", MOST)).items
        assert items == [user("one"), said("answer 1"), user("two"), said("answer 2")]
        assert await stored.resolved(ADA, [{"id": "msg_answer 2"}, "text"], MOST) == [said("answer 2"), "text"]
        with pytest.raises(UnknownItemError) as caught:
            await stored.resolved(ADA, [reference("answer 1"), reference("answer 3")], MOST)
        assert str(caught.value) == "msg_answer 3"

    run(steps())


def test_a_conversation_that_is_too_large_is_not_put_together() -> None:
    async def steps() -> None:
        stored = StoredResponses(LocalStore(60))
        await keep(stored, 1, user("x" * 600))
        await keep(stored, 2, user("x" * 600), after=1)
        with pytest.raises(TooLargeError):
            await stored.conversation(ADA, "resp_2", 1000)
        with pytest.raises(TooLargeError):
            await stored.resolved(ADA, [reference("answer 1"), reference("answer 2")], 100)

    run(steps())


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"type": "item_reference", "id": "x"}, True),
        ({"id": "x"}, True),
        ({"type": None, "id": "x"}, True),
        ({"type": "item_reference"}, True),  # refused later, by its place
        ({"id": "x", "role": "user", "content": "y"}, False),
        ({"type": "message", "id": "x"}, False),
        ({}, False),
        ("x", False),
    ],
)
def test_what_a_reference_is(item: Any, expected: bool) -> None:
    assert is_reference(item) is expected


def test_an_owner_is_named_by_a_hash_and_never_by_a_key() -> None:
    assert owner_of("a" * 64) == "a" * 64
    assert owner_of("sk-secret") == hashlib.sha256(b"sk-secret").hexdigest()


def test_a_seal_opens_with_the_same_secret_for_the_same_owner() -> None:
    seal = Seal("secret")
    sealed = seal.sealed(ADA, b"words " * 100)
    assert b"words" not in sealed
    assert len(sealed) < 300
    assert Seal("secret").opened(ADA, sealed) == b"words " * 100
    assert Seal("another").opened(ADA, sealed) is None
    assert seal.opened(BOB, sealed) is None
    assert seal.opened(ADA, b"short") is None
    assert seal.opened(ADA, sealed[:-1] + bytes([sealed[-1] ^ 1])) is None
