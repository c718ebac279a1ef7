"""Answers that were kept, read and deleted: what OpenAI has under /v1/responses/{id}."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import parse_qs

import orjson

from custom_handlers.guard.rejection import RejectedError
from custom_handlers.guard.routes import Route
from custom_handlers.guard.shapes import refused
from custom_handlers.guard.stored import Memory
from custom_handlers.stored_responses.responses import Kept

_PREFIXES = {"message": "msg", "function_call": "fc", "function_call_output": "fco", "reasoning": "rs"}
_PAGE, _MOST_ON_PAGE = 20, 100


def check_method(method: str, route: Route, memory: Memory | None) -> Memory:
    """`memory`, if the request can be answered at all. Raises RejectedError, whoever asks."""
    if memory is None:
        raise RejectedError(
            400,
            "This gateway does not store responses, so there is none to read, cancel or delete: set `store: false` "
            "in the client, and send the whole conversation each time.",
            "response_id",
            "not_supported",
        )
    allowed = {None: ("GET", "DELETE"), "/input_items": ("GET",), "/cancel": ("POST",)}[route.part]
    if method not in allowed:
        raise RejectedError(405, f"This path takes {' and '.join(allowed)} only.", code="method_not_allowed")
    return memory


async def answer(memory: Memory, owner: str, method: str, route: Route, query: bytes) -> bytes:
    """The JSON for a request to a stored response. Raises RejectedError."""
    response_id = str(route.response_id)
    asked = {name: values[-1] for name, values in parse_qs(query.decode("latin-1")).items()}
    with memory.told(None):
        if method == "DELETE":
            await memory.responses.forget(owner, response_id)
            return orjson.dumps({"id": response_id, "object": "response", "deleted": True})
        found = await memory.responses.find(owner, response_id)
        if route.part == "/cancel":
            raise RejectedError(
                400,
                "Only a response that runs in the background can be cancelled: this one is complete.",
                "response_id",
            )
        if route.part == "/input_items":
            return orjson.dumps(_page(_with_ids(found, response_id), asked))
        if asked.get("stream") == "true":
            raise refused("stream", "is for responses that run in the background, and this gateway has none.")
        return orjson.dumps(found.response)


def _with_ids(found: Kept, response_id: str) -> list[dict[str, Any]]:
    """The request's own items, each with an id as OpenAI's have."""
    items = []
    for index, item in enumerate(found.input):
        digest = hashlib.sha256(f"{response_id}:{index}".encode()).hexdigest()[:48]
        kind = item.get("type", "message")
        items.append({"id": f"{_PREFIXES.get(kind, 'item')}_{digest}", **item, "type": kind})
    return items


def _page(items: list[dict[str, Any]], asked: dict[str, str]) -> dict[str, Any]:
    limit = asked.get("limit", str(_PAGE))
    if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:9]) <= _MOST_ON_PAGE):
        raise refused("limit", f"must be a whole number from 1 to {_MOST_ON_PAGE}.")
    if asked.get("order", "desc") not in ("asc", "desc"):
        raise refused("order", "must be asc or desc.")
    if asked.get("order", "desc") == "desc":
        items = items[::-1]
    if after := asked.get("after"):
        ids = [item["id"] for item in items]
        if after not in ids:
            raise refused("after", "must be the id of an item of this response.")
        items = items[ids.index(after) + 1 :]
    page = items[: int(limit)]
    ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {"first_id": None, "last_id": None}
    return {"object": "list", "data": page, **ends, "has_more": len(items) > len(page)}
