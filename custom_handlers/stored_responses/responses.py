"""What is kept of an answer: the response, the items that its request brought, and which answers came before it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from custom_handlers.stored_responses.store import Store

Item = dict[str, Any]
REFERENCE = "item_reference"
_AT_ONCE = 50  # values that are fetched together
_HASH = re.compile(r"[0-9a-f]{64}")


class UnknownResponseError(Exception):
    """No such response, or one of the conversation before it is gone, or it is another key's."""


class UnknownItemError(Exception):
    """No such item, or it is another key's. Its argument is the id."""


class TooLargeError(Exception):
    """The conversation holds more than a request may."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One turn; `turns` are the store's names of those before it, `size` the bytes of all of them and of this one."""

    response: Item
    input: list[Any]
    turns: tuple[str, ...] = ()
    size: int = 0

    @property
    def items(self) -> list[Any]:
        return [*self.input, *self.response.get("output", ())]


@dataclass(frozen=True, slots=True)
class Conversation:
    """All items up to and with a response."""

    items: list[Any]
    turns: tuple[str, ...]
    size: int


def owner_of(key: str) -> str:
    """The owner's name in the store for a key as LiteLLM names it: by its hash; a name that is none is hashed here."""
    return key if _HASH.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest()


def is_reference(item: Any) -> bool:
    """Whether `item` stands for one of an earlier answer: OpenAI lets its type be left out."""
    return isinstance(item, dict) and (
        item.get("type") == REFERENCE or (item.get("type") is None and item.keys() <= {"type", "id"} and "id" in item)
    )


class StoredResponses:
    """The answers in `store`, each of an owner; all methods raise UnreachableError."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, owner: str, response: Item, given: bytes, before: Conversation | None) -> None:
        """`given` is the list of the request's own items, as JSON."""
        output = [item for item in response.get("output", ()) if isinstance(item, dict)]
        turns, size = (before.turns, before.size) if before else ((), 0)
        turn = {
            "response": response,
            "input": orjson.Fragment(given),
            "turns": turns,
            "size": size + len(given) + len(orjson.dumps(output)),
        }
        items = {_name("item", item["id"]): orjson.dumps(item) for item in output if isinstance(item.get("id"), str)}
        await self._store.put(owner, {**items, _name("response", str(response["id"])): orjson.dumps(turn)})

    async def find(self, owner: str, response_id: str) -> Kept:
        """Raises UnknownResponseError."""
        return (await self._turns(owner, response_id, [_name("response", response_id)]))[0]

    async def forget(self, owner: str, response_id: str) -> None:
        """Raises UnknownResponseError."""
        found = await self.find(owner, response_id)
        items = (_name("item", str(item.get("id"))) for item in found.response.get("output", ()))
        await self._store.delete(owner, [_name("response", response_id), *items])

    async def conversation(self, owner: str, response_id: str, most_bytes: int) -> Conversation:
        """Raises UnknownResponseError and TooLargeError."""
        last = await self.find(owner, response_id)
        if last.size > most_bytes:
            raise TooLargeError
        items: list[Any] = []
        for some in _batches(last.turns):
            for turn in await self._turns(owner, response_id, some):
                items += turn.items
        try:
            items = await self.resolved(owner, [*items, *last.items], most_bytes)
        except UnknownItemError:
            raise UnknownResponseError(response_id) from None
        return Conversation(items, (*last.turns, _name("response", response_id)), last.size)

    async def resolved(self, owner: str, items: list[Any], most_bytes: int) -> list[Any]:
        """`items` with what the references among them stand for. Raises UnknownItemError and TooLargeError."""
        wanted = list(dict.fromkeys(str(item["id"]) for item in items if is_reference(item)))
        found: dict[str, Any] = {}
        size = 0
        for some in _batches(wanted):
            values = await self._store.get(owner, [_name("item", item_id) for item_id in some])
            for item_id, value in zip(some, values, strict=True):
                if value is None:
                    raise UnknownItemError(item_id)
                size += len(value)
                if size > most_bytes:
                    raise TooLargeError
                found[item_id] = orjson.loads(value)
        return [found[str(item["id"])] if is_reference(item) else item for item in items] if wanted else items

    async def _turns(self, owner: str, response_id: str, names: Sequence[str]) -> list[Kept]:
        """Raises UnknownResponseError for `response_id` where one of `names` is not there."""
        turns = []
        for value in await self._store.get(owner, names):
            if value is None:
                raise UnknownResponseError(response_id)
            turn = orjson.loads(value)
            turns.append(Kept(turn["response"], turn["input"], tuple(turn["turns"]), turn["size"]))
        return turns


def _name(kind: str, its_id: str) -> str:
    """The name of a value: a client's id may be anything."""
    return f"{kind}:{hashlib.sha256(its_id.encode(errors='surrogatepass')).hexdigest()[:40]}"


def _batches(values: Sequence[str]) -> Iterator[Sequence[str]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))
