"""Responses with memory: a request's conversation is completed before LiteLLM sees it, and its answer kept.

To LiteLLM it looks as if the client had sent everything, so that all checks, limits and corrections are for the whole.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from custom_handlers.config.request_limits import RequestLimits
from custom_handlers.guard import body as bodies
from custom_handlers.guard import fields
from custom_handlers.guard.rejection import RejectedError
from custom_handlers.guard.shapes import TEXT, TEXT_OR_LIST, check, refused
from custom_handlers.stored_responses.responses import (
    Conversation,
    Item,
    StoredResponses,
    TooLargeError,
    UnknownItemError,
    UnknownResponseError,
    is_reference,
)
from custom_handlers.stored_responses.store import UnreachableError

FIELD = "previous_response_id"


@dataclass(frozen=True, slots=True)
class Turn:
    """What there is to keep of a request: its own items as JSON, and what came before them."""

    given: bytes
    keep: bool
    previous: str | None = None
    before: Conversation | None = None
    completed: bool = False  # whether the body holds more now than it came with


class Memory:
    """`minutes` is how long an answer is kept after it was last used."""

    def __init__(self, responses: StoredResponses, minutes: int, limits: RequestLimits) -> None:
        self.responses = responses
        self._minutes, self._limits = minutes, limits

    async def completed(self, body: dict[str, Any], owner: Callable[[], Awaitable[str]]) -> Turn:
        """Puts into `body` what it refers to. Raises RejectedError, and what `owner` raises."""
        check(body, {FIELD: TEXT, "input": TEXT_OR_LIST})
        previous, given = body.pop(FIELD, None) or None, _items(body.get("input"))
        _check_references(given)
        turn = Turn(orjson.dumps(given), body.get("store") is not False, previous)
        if not previous and not any(map(is_reference, given)):
            return turn
        caller, most = await owner(), self._limits.body_bytes
        with self.told():
            before = await self.responses.conversation(caller, previous, most) if previous else None
            own = await self.responses.resolved(caller, given, most)
        body["input"] = [*before.items, *own] if before else own
        fields.check_number_of_turns("responses", body, self._limits)
        await bodies.check_size(orjson.dumps(body), self._limits)
        return Turn(turn.given, turn.keep, previous, before, completed=True)

    @contextmanager
    def told(self, field: str | None = FIELD) -> Iterator[None]:
        """What the store raises as what OpenAI answers."""
        kept = f"The gateway keeps answers for {self._minutes} minutes after their last use, for the key that asked."
        try:
            yield
        except UnknownResponseError as error:
            if field:
                raise RejectedError(
                    400,
                    f"Previous response with id '{_shown(error)}' not found. {kept}",
                    FIELD,
                    "previous_response_not_found",
                ) from None
            raise RejectedError(404, f"Response with id '{_shown(error)}' not found. {kept}", "response_id") from None
        except UnknownItemError as error:
            raise RejectedError(
                404,
                f"Item with id '{_shown(error)}' not found. {kept} Nothing is kept of a request with `store: false`.",
                "input",
            ) from None
        except TooLargeError:
            raise bodies.too_large(self._limits.max_body_mb) from None
        except UnreachableError:
            raise RejectedError(
                503, "The gateway cannot reach the answers that it keeps at the moment: try again.", code="store_away"
            ) from None


def _items(given: Any) -> list[Any]:
    """The items of `input`: a text is a message of the user's."""
    if isinstance(given, str):
        given = [given] if given else []
    return [_message(item) if isinstance(item, str) else item for item in given or ()]


def _message(text: str) -> Item:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def _check_references(items: list[Any]) -> None:
    for index, item in enumerate(items):
        if is_reference(item) and not isinstance(item.get("id"), str):
            raise refused(f"input[{index}].id", "must be the id of an item.")


def _shown(error: Exception) -> str:
    return str(error)[:100]
