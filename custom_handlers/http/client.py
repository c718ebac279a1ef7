"""Carries a request to StackSpot: LiteLLM's pooled client, enforced timeouts, retries before the first byte.

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
import orjson

from custom_handlers.core import telemetry, tracing
from custom_handlers.core.errors import (
    BadGatewayError,
    CallerTimeoutError,
    InvalidResponseError,
    RateLimitError,
    StackSpotError,
    UpstreamTimeoutError,
    outcome_of,
)
from custom_handlers.http.error_mapping import Service, broken_off, from_response, from_transport
from custom_handlers.http.retry import Attempts, Pause, retry_delay
from custom_handlers.http.sse import SSEDecoder
from custom_handlers.http.timeouts import LEAST_SECONDS, Deadline
from custom_handlers.litellm_adapter.http_client import CONNECT_SECONDS, pooled_client

MAX_ERROR_BYTES = 64 * 1024
# Of a whole answer, with its framing; the longest that a model writes is a few hundred kilobytes.
MAX_ANSWER_BYTES = 64 * 1024 * 1024
# Seconds of work on data that is already there, after which other requests have their turn.
TURN_SECONDS = 0.01
# How long to wait for the end of the body after the answer's last object, so that the connection can be used again.
DRAIN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Request:
    """One POST: `json`, or `form` with the file last, is the body. Never shown whole: it holds credentials."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    file: tuple[str, bytes] | None = field(default=None, repr=False)  # name and content, sent as the part `file`
    service: Service = Service.AGENTS  # for errors


@asynccontextmanager
async def stream(
    request: Request, deadline: Deadline, pause: Pause | None = None, attempts: Attempts | None = None
) -> AsyncIterator[httpx.Response]:
    """Posts `request`, with retries, and yields the successful response, unread; closes the connection at the end.

    Raises StackSpotError for every other outcome. When time runs out between two tries it is the last one's; a try
    that StackSpot has and does not answer is silence, whatever came before, as it may cost.
    """
    attempt, attempts = 0, attempts or Attempts()
    while True:
        if attempts.turns:
            with tracing.span(tracing.TURN):
                await attempts.turns.take(deadline)
        span = tracing.begin(f"StackSpot {request.service.value}")
        try:
            if pause and not attempts.turns:
                await pause.wait(deadline)
            async with deadline.bound():
                attempts.take()
                response = await _send(request, deadline.remaining)
            telemetry.tell(telemetry.UpstreamAsked(request.service.name.lower(), telemetry.ANSWERED))
            break
        except BaseException as error:
            span.end(error)
            if not isinstance(error, StackSpotError):
                raise
            telemetry.tell(telemetry.UpstreamAsked(request.service.name.lower(), outcome_of(error)))
            if not isinstance(error, CallerTimeoutError | UpstreamTimeoutError) or error.code or error.retryable:
                attempts.refused()
            attempts.failed = error
            if isinstance(error, RateLimitError) and attempts.postponed(error):
                continue
            delay = retry_delay(error, attempt, deadline.remaining, random.random())  # noqa: S311
            if delay is None or attempts.left <= 0:
                raise
            if pause and isinstance(error, RateLimitError):
                pause.extend(delay)
            await asyncio.sleep(delay)
            if deadline.remaining < LEAST_SECONDS / 2:  # a busy machine has slept for longer
                raise
            attempt += 1
    try:
        yield response
    except BaseException as error:
        span.end(error)
        raise
    finally:
        span.end()
        await response.aclose()


async def aiter_bytes(response: httpx.Response, deadline: Deadline) -> AsyncIterator[bytes]:
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
            raise InvalidResponseError("StackSpot's answer is too long: it was given up.", final=True)
        yield piece


async def request_json(request: Request, deadline: Deadline, attempts: Attempts | None = None) -> dict[str, Any]:
    """The JSON object that a small call answers, empty when it answers something else. Raises StackSpotError."""
    decoder = SSEDecoder()
    async with stream(request, deadline, attempts=attempts) as response:
        async for piece in aiter_bytes(response, deadline):
            if events := decoder.decode(piece):
                return events[0].data
    events = decoder.flush()
    return events[0].data if events else {}


async def drain(body: AsyncIterator[bytes]) -> None:
    """Waits briefly for the end of `body`, so that its connection goes back to the pool."""
    with suppress(TimeoutError, StackSpotError):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in body:
                pass


async def _send(request: Request, remaining: float) -> httpx.Response:
    """Within half of the time left there is a connection, so that one that cannot be made is an error of its own."""
    pooled = pooled_client()
    timeout = httpx.Timeout(None, connect=min(CONNECT_SECONDS, max(remaining / 2, 0)))
    headers, content = dict(request.headers), None
    if request.json is not None:
        headers["Content-Type"] = "application/json"
        content = _as_json(request.json)
    try:
        files = {"file": request.file} if request.file else None
        post = pooled.build_request(
            "POST", request.url, headers=headers, content=content, data=request.form, files=files, timeout=timeout
        )
        response = await pooled.send(post, stream=True)
    except (httpx.HTTPError, httpx.StreamError, OSError) as error:
        raise from_transport(error) from None
    except (httpx.InvalidURL, ValueError) as error:
        raise BadGatewayError(f"StackSpot's address cannot be used ({type(error).__name__}).") from None
    if response.is_success:
        return response
    try:
        raise from_response(response.status_code, response.headers, await _error_body(response), request.service)
    finally:
        await response.aclose()


def _as_json(body: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # half of a surrogate pair, or a number of more than 64 bits
        return json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")


async def _error_body(response: httpx.Response) -> bytes:
    body = b""
    with suppress(httpx.HTTPError, httpx.StreamError, OSError, TimeoutError):
        async with asyncio.timeout(CONNECT_SECONDS):
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) >= MAX_ERROR_BYTES:
                    break
    return body[:MAX_ERROR_BYTES]
