"""Keeps an answer of the responses surface before its client can name it, and says which one it continues."""

from __future__ import annotations

import logging
from typing import Any, TypeGuard

import orjson

from custom_handlers.core import notes
from custom_handlers.guard import pieces
from custom_handlers.guard.asgi_types import Send
from custom_handlers.guard.stored import FIELD, Memory, Turn
from custom_handlers.stored_responses.responses import owner_of
from custom_handlers.stored_responses.store import UnreachableError

logger = logging.getLogger("stackspot_guard")

_BEGUN = ("response.created", "response.in_progress")
_ENDED = ("response.completed", "response.incomplete")


def keeping(send: Send, memory: Memory, turn: Turn, *, streamed: bool) -> Send:
    """A `send` for LiteLLM's answer to `turn`. To be called when the notes of the request have begun."""
    noted = notes.current()

    async def keep(response: dict[str, Any]) -> dict[str, Any]:
        """The response as its client sees it."""
        response = response | {FIELD: turn.previous}
        if turn.keep and noted and noted.caller and noted.caller.key != notes.UNNAMED:
            try:
                await memory.responses.keep(owner_of(noted.caller.key), response, turn.given, turn.before)
            except UnreachableError as error:
                logger.warning("An answer was not kept: the store does not answer (%s).", error)
        return response

    async def whole(piece: bytes) -> bytes:
        response = pieces.read_object(piece)
        return orjson.dumps(await keep(response)) if _is_response(response) else piece

    async def event(piece: bytes) -> bytes:
        found = pieces.read_event(piece)
        if found is None or not _is_response(response := found.data.get("response")):
            return piece
        if found.kind in _ENDED:
            return found.with_data(response=await keep(response)).written()
        if found.kind in _BEGUN and turn.previous:
            return found.with_data(response=response | {FIELD: turn.previous}).written()
        return piece

    return pieces.changing(send, event if streamed else whole)


def _is_response(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict) and value.get("object") == "response" and isinstance(value.get("id"), str)
