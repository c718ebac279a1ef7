"""What a unit of spend is, in LiteLLM's banner; that a browser shows it is in tests/slow/ui."""

import asyncio
import json
from typing import Any

import pytest

from custom_handlers.guard import banner
from custom_handlers.guard.asgi_types import Message

NEVER_SET = {"enabled": False, "message": "", "severity": "info"}
OURS = {"enabled": True, "message": banner.SENTENCE, "severity": "info"}
MAINTENANCE = {"enabled": True, "message": "Maintenance on Sunday", "severity": "warning"}
# As version 0.1.0 wrote it into the database.
FORMER = OURS | {
    "message": "Spend and budgets are counted in **millions of tokens**: $1.00 here is one million tokens, not a "
    "dollar. Your contract's prices go into litellm_config.yaml."
}


def told(body: bytes, *, default_prices: bool) -> bytes:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def answer() -> None:
        through = banner.told(send, default_prices=default_prices)
        await through({"type": "http.response.start", "headers": [(b"content-length", str(len(body)).encode())]})
        await through({"type": "http.response.body", "body": body})

    asyncio.run(answer())
    [(_, length)] = sent[0]["headers"]
    whole: bytes = sent[1]["body"]
    assert int(length) == len(whole)
    return whole


@pytest.mark.parametrize(
    ("stored", "default_prices", "shown"),
    [
        (NEVER_SET, True, OURS),
        (NEVER_SET | {"message": None}, True, OURS),
        (NEVER_SET, False, NEVER_SET),
        (OURS, False, OURS | {"enabled": False, "message": ""}),
        (FORMER, False, OURS | {"enabled": False, "message": ""}),
        (OURS | {"enabled": False}, True, OURS | {"enabled": False}),  # switched off by hand
        (MAINTENANCE, True, MAINTENANCE),
        (MAINTENANCE, False, MAINTENANCE),
    ],
)
def test_what_everyone_is_told(stored: Any, default_prices: bool, shown: Any) -> None:
    assert json.loads(told(json.dumps(stored).encode(), default_prices=default_prices)) == shown


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"error": {"message": "no"}}', b'"text"'])
def test_another_answer_stays_as_it_is(body: bytes) -> None:
    assert told(body, default_prices=True) == body
