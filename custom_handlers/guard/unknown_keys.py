"""A rate limit for unknown keys, so that a flood of them does not slow down the others.

LiteLLM asks the database about each unknown key, writes a row for its refusal, and takes more CPU for both than for an
answer: some forty a second would stop a worker, and fill the disk. So only so many refusals a second are left to it.
Beyond them a key that LiteLLM has not accepted before gets a 429, which clients try again; keys that have been accepted
always pass.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

from custom_handlers.guard.asgi_types import Message, Send
from custom_handlers.guard.headers import KEYS
from custom_handlers.guard.rejection import RejectedError

A_SECOND = 3.0
AT_ONCE = 100.0
REMEMBERED = 10_000
UNAUTHORIZED = 401


class UnknownKeys:
    """Of one process. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left, self._since = AT_ONCE, clock()
        self._accepted: OrderedDict[bytes, None] = OrderedDict()
        self._secret = secrets.token_bytes(32)

    def check(self, headers: Iterable[tuple[bytes, bytes]], send: Send, *, management: bool = False) -> Send:
        """A `send` that learns what LiteLLM makes of the request's key. Raises RejectedError where it may not ask.

        From `management` LiteLLM turns good keys away with a 401 as well.
        """
        who = self._fingerprint(headers)
        if who not in self._accepted and self._refusals_left() < 1:
            raise RejectedError(
                429,
                "Too many requests have come with keys that this gateway does not know, and it has not seen yours "
                "before. Try again in a few seconds.",
                code="rate_limit_exceeded",
                retry_after=2,
            )

        async def learning(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._learn(who, message["status"], forget=not management)
            await send(message)

        return learning

    def _fingerprint(self, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        sent = b"\n".join(name + b":" + value for name, value in headers if name in KEYS)
        return hashlib.blake2b(sent, digest_size=16, key=self._secret).digest()

    def _refusals_left(self) -> float:
        now = self._clock()
        self._left = min(AT_ONCE, self._left + (now - self._since) * A_SECOND)
        self._since = now
        return self._left

    def _learn(self, who: bytes, status: int, *, forget: bool) -> None:
        if status == UNAUTHORIZED:
            if forget:
                self._accepted.pop(who, None)
            self._left = self._refusals_left() - 1
        elif 200 <= status < 300:
            self._accepted[who] = None
            self._accepted.move_to_end(who)
            if len(self._accepted) > REMEMBERED:
                self._accepted.popitem(last=False)
