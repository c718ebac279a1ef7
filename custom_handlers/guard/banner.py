"""Tells everyone in the admin UI what a unit of spend is, as LiteLLM writes it as dollars.

LiteLLM keeps one banner in its database, and no line of its configuration sets it. So the guard fills it in where
nobody has written one: it is there from the start, whoever makes keys, and never says what is not true.
"""

from __future__ import annotations

import json
from typing import Any

from custom_handlers.guard.asgi_types import Send
from custom_handlers.guard.replies import changed

PATH = "/get/user_banner"
SENTENCE = (
    "Spend and budgets are counted in **millions of tokens**: $1.00 here is one million tokens, not a dollar. "
    "Your contract's prices go into .env (STACKSPOT_INPUT_COST_PER_TOKEN)."
)
# As earlier versions wrote it into the database.
_FORMER = "$1.00 here is one million tokens, not a dollar"


def told(send: Send, *, default_prices: bool) -> Send:
    """A `send` that puts the sentence into an empty banner, or takes it out where prices are a contract's."""
    return changed(send, lambda body: _told(body, default_prices))


def _told(body: bytes, default_prices: bool) -> bytes:
    try:
        banner: dict[str, Any] = json.loads(body)
        message = banner["message"] or ""
    except (ValueError, TypeError, KeyError):
        return body
    if default_prices and not message:
        banner |= {"enabled": True, "message": SENTENCE, "severity": "info"}
    elif not default_prices and _FORMER in message:
        banner |= {"enabled": False, "message": ""}
    else:
        return body
    return json.dumps(banner).encode()
