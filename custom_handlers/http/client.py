"""Carries a request to StackSpot: LiteLLM's pooled client, enforced time limits, retries before the first byte.

Redirects are not followed and TLS is verified whatever LiteLLM's own settings say; a company's own certificate
authority comes from SSL_CERT_FILE, SSL_VERIFY=<path> or `ssl_verify: <path>`, as for LiteLLM itself.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from custom_handlers.litellm_adapter.http_client import CONNECT_SECONDS, client
from custom_handlers.http.timeouts import Deadline as Deadline
from custom_handlers.http.timeouts import Limits as Limits
from custom_handlers.core.errors import (
    BadGateway,
    CallerTimeout,
    RateLimited,
    StackSpotError,
    UpstreamTimeout,
    unusable,
)
from custom_handlers.http.error_mapping import broken_off, from_response, from_transport
from custom_handlers.http.sse import MessageReader

RETRY_DELAYS = (1.0, 2.0, 4.0)
MAX_PAUSE_SECONDS = 60.0
MAX_ERROR_BYTES = 64 * 1024
# Of a whole answer, with its framing; the longest that a model writes is a few hundred kilobytes.
MAX_ANSWER_BYTES = 64 * 1024 * 1024
# Seconds of work on data that is already there, after which other requests have their turn.
TURN_SECONDS = 0.01
# How long to wait for the end of the body after the answer's last object, so that the connection can be used again.
DRAIN_SECONDS = 0.2


@dataclass(slots=True)
class Attempts:
    """What one call may still ask, and whether StackSpot has its last question: retries and corrections share it."""

    left: int = 1 + len(RETRY_DELAYS)
    asked: bool = False

    def take(self) -> None:
        """Call before each try."""
        self.left, self.asked = self.left - 1, True

    def refused(self) -> None:
        """Call when StackSpot did not take the question: it cost nothing."""
        self.asked = False


@dataclass(slots=True)
class Pause:
    """A 429 holds for the account, so all its calls wait (StackSpot sends no Retry-After; MIDIR)."""

    until: float = 0.0

    async def wait(self, deadline: "Deadline") -> None:
        """Raises RateLimited when the pause outlasts the call."""
        seconds = self.until - time.monotonic()
        if seconds >= deadline.remaining:
            raise RateLimited("StackSpot's request limit for this account is reached.", retry_after=seconds)
        if seconds > 0:
            await asyncio.sleep(seconds + random.uniform(0, 0.25))  # noqa: S311 - spreads load, hides nothing

    def extend(self, seconds: float) -> None:
        self.until = max(self.until, time.monotonic() + min(seconds, MAX_PAUSE_SECONDS))


@dataclass(frozen=True, slots=True)
class Request:
    """One POST: `json`, or `form` with the file last, is the body. Never shown whole: it holds credentials."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    file: tuple[str, bytes] | None = field(default=None, repr=False)  # name and content, sent as the part `file`


def retry_delay(error: StackSpotError, attempt: int, remaining: float, jitter: float) -> float | None:
    """Seconds to wait before attempt `attempt` + 1, or None to give up.

    `attempt` counts from 0, `remaining` is the call's time left in seconds, `jitter` a number from 0 to 1.
    A Retry-After is honoured; one that the call cannot wait for ends it at once.
    """
    if not error.retryable or attempt >= len(RETRY_DELAYS):
        return None
    delay = RETRY_DELAYS[attempt] * (0.75 + 0.5 * jitter)
    if error.retry_after is not None:
        delay = max(error.retry_after, delay)
    return delay if delay < remaining else None


@asynccontextmanager
async def exchange(
    request: Request, deadline: Deadline, pause: Pause | None = None, attempts: Attempts | None = None
) -> AsyncIterator[httpx.Response]:
    """Posts `request`, with retries, and yields the successful response, unread; closes the connection at the end.

    Raises StackSpotError for every other outcome.
    """
    attempt, attempts = 0, attempts or Attempts()
    while True:
        try:
            async with deadline.bound():
                if pause:
                    await pause.wait(deadline)
                attempts.take()
                response = await _send(request)
            break
        except StackSpotError as error:
            if not isinstance(error, CallerTimeout | UpstreamTimeout) or error.code or error.retryable:
                attempts.refused()
            delay = retry_delay(error, attempt, deadline.remaining, random.random())  # noqa: S311
            if delay is None or attempts.left <= 0:
                raise
            if pause and isinstance(error, RateLimited):
                pause.extend(delay)
            async with deadline.bound():
                await asyncio.sleep(delay)
            attempt += 1
    try:
        yield response
    finally:
        await response.aclose()


async def pieces(response: httpx.Response, deadline: Deadline) -> AsyncIterator[bytes]:
    """The body as it arrives. Raises StackSpotError when it breaks off or a time limit runs out."""
    body, size, worked_since = response.aiter_bytes(), 0, time.monotonic()
    while True:
        if time.monotonic() - worked_since > TURN_SECONDS:
            await asyncio.sleep(0)
            worked_since = time.monotonic()
        try:
            async with deadline.bound():
                piece = await anext(body, None)
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise broken_off(error) from None
        if piece is None:
            return
        if (size := size + len(piece)) > MAX_ANSWER_BYTES:
            raise unusable("StackSpot's answer is too long: it was given up.")
        yield piece


async def fetch(request: Request, deadline: Deadline) -> dict[str, Any]:
    """The JSON object that a small call answers, empty when it answers something else. Raises StackSpotError."""
    reader = MessageReader()
    async with exchange(request, deadline) as response:
        async for piece in pieces(response, deadline):
            if messages := reader.feed(piece):
                return messages[0].body
    messages = reader.finish()
    return messages[0].body if messages else {}


async def drain(body: AsyncIterator[bytes]) -> None:
    """Waits briefly for the end of `body`, so that its connection goes back to the pool."""
    with suppress(TimeoutError, StackSpotError):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in body:
                pass


async def _send(request: Request) -> httpx.Response:
    pooled = client()
    headers, content = dict(request.headers), None
    if request.json is not None:
        headers["Content-Type"] = "application/json"
        content = json.dumps(request.json, ensure_ascii=False).encode("utf-8", "replace")
    try:
        files = {"file": request.file} if request.file else None
        post = pooled.build_request(
            "POST", request.url, headers=headers, content=content, data=request.form, files=files
        )
        response = await pooled.send(post, stream=True)
    except (httpx.HTTPError, httpx.StreamError, OSError) as error:
        raise from_transport(error) from None
    except (httpx.InvalidURL, ValueError) as error:
        raise BadGateway(f"StackSpot's address cannot be used ({type(error).__name__}).") from None
    if response.is_success:
        return response
    try:
        raise from_response(response.status_code, response.headers, await _error_body(response))
    finally:
        await response.aclose()


async def _error_body(response: httpx.Response) -> bytes:
    body = b""
    with suppress(httpx.HTTPError, httpx.StreamError, OSError, TimeoutError):
        async with asyncio.timeout(CONNECT_SECONDS):
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) >= MAX_ERROR_BYTES:
                    break
    return body[:MAX_ERROR_BYTES]
