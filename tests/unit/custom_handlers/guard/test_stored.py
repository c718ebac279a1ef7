"""A request that continues a conversation is held to the limits as if it had brought the whole."""

import asyncio
from typing import Any

import orjson
import pytest

from custom_handlers.config.request_limits import RequestLimits
from custom_handlers.guard.rejection import RejectedError
from custom_handlers.guard.stored import Memory, Turn
from custom_handlers.stored_responses.local import LocalStore
from custom_handlers.stored_responses.responses import StoredResponses
from custom_handlers.stored_responses.store import UnreachableError

LIMITS = RequestLimits(max_body_mb=1, max_messages=10, max_json_values=100, max_json_depth=12)
OWNER = "a" * 64


async def owner() -> str:
    return OWNER


async def nobody() -> str:
    raise AssertionError("nobody needs to be asked")


async def second(given: Any, then: Any, **more: Any) -> tuple[dict[str, Any], Turn]:
    """The body of a request with `then`, which continues one with `given`, and what of it is to be kept."""
    memory = Memory(StoredResponses(LocalStore(60)), 30, LIMITS)
    first = await memory.completed({"model": "m", "input": given}, nobody)
    output = [{"type": "message", "id": "msg_1", "role": "assistant", "content": "ok"}]
    await memory.responses.keep(OWNER, {"id": "resp_1", "output": output}, first.given, first.before)
    body = {"model": "m", "input": then, "previous_response_id": "resp_1", **more}
    return body, await memory.completed(body, owner)


def test_litellm_sees_one_whole_conversation() -> None:
    body, turn = asyncio.run(second("Hello", ["Go on.", {"id": "msg_1"}], store=False))
    said = {"type": "message", "id": "msg_1", "role": "assistant", "content": "ok"}
    user = {"type": "message", "role": "user"}
    assert body == {
        "model": "m",
        "store": False,
        "input": [
            user | {"content": [{"type": "input_text", "text": "Hello"}]},
            said,
            user | {"content": [{"type": "input_text", "text": "Go on."}]},
            said,
        ],
    }
    assert (turn.keep, turn.previous) == (False, "resp_1")
    assert orjson.loads(turn.given)[1] == {"id": "msg_1"}


MESSAGE = {"role": "user", "content": "x"}
MANY: dict[str, Any] = {"role": "user", "content": [{"a": 1}] * 30}


@pytest.mark.parametrize(
    ("given", "then", "status", "limit"),
    [
        ([MESSAGE] * 6, [MESSAGE] * 6, 400, "STACKSPOT_MAX_MESSAGES"),
        ("x" * 600_000, "y" * 600_000, 413, "STACKSPOT_MAX_BODY_MB"),
        ([MANY], [MANY], 400, "STACKSPOT_MAX_JSON_VALUES"),
    ],
    ids=["messages", "bytes", "values"],
)  # fmt: skip
def test_the_whole_is_held_to_each_limit(given: Any, then: Any, status: int, limit: str) -> None:
    with pytest.raises(RejectedError, match=limit) as caught:
        asyncio.run(second(given, then))
    assert caught.value.status == status


def test_a_store_that_is_away_is_a_503() -> None:
    class Away:
        async def get(self, *_: Any) -> list[bytes | None]:
            raise UnreachableError

        put = delete = get

    async def steps() -> None:
        memory = Memory(StoredResponses(Away()), 30, LIMITS)  # type: ignore[arg-type]
        await memory.completed({"input": "Hi", "previous_response_id": "resp_1"}, owner)

    with pytest.raises(RejectedError) as caught:
        asyncio.run(steps())
    assert caught.value.status == 503
    assert orjson.loads(caught.value.body("responses"))["error"]["type"] == "internal_server_error"
