"""Reads the body of a request within its limits: nothing is kept of one that is too large, nothing blocks the others.

asyncio.sleep(0) between pieces lets other requests have their turn while a large body arrives.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import AsyncIterator
from typing import Any

import orjson

from custom_handlers.config.request_limits import RequestLimits
from custom_handlers.guard.asgi_types import Receive
from custom_handlers.guard.rejection import RejectedError
from custom_handlers.guard.scanning import Scanner

PIECE = 64 * 1024
SILENCE_SECONDS = 60.0  # without a byte of the body
TOTAL_SECONDS = 300.0
_MOST_REPAIRED = 100_000  # escapes in a text that are looked at one by one
_DECODINGS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)


class DisconnectedError(Exception):
    """The client left before its body was whole."""


async def read_object(
    receive: Receive, headers: dict[bytes, bytes], limits: RequestLimits, empty: bytes = b""
) -> dict[str, Any]:
    """The JSON object that a request holds; `empty` stands for no body at all.

    Raises RejectedError or DisconnectedError.
    """
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > limits.body_bytes:
        raise too_large(limits.max_body_mb)
    scanner, body = Scanner(), bytearray()
    async for piece in _decoded(received(receive), headers.get(b"content-encoding", b"").decode("latin-1"), limits):
        if len(body) + len(piece) > limits.body_bytes:
            raise too_large(limits.max_body_mb)
        body += piece
        await _scan(scanner, piece, limits)
    return parsed(bytes(body) or empty, scanner.names)


async def check_size(body: bytes, limits: RequestLimits) -> None:
    """Raises RejectedError where `body`, which was put together here, is more than a request may hold."""
    if len(body) > limits.body_bytes:
        raise too_large(limits.max_body_mb)
    await _scan(Scanner(), body, limits)


async def _scan(scanner: Scanner, piece: bytes, limits: RequestLimits) -> None:
    for start in range(0, len(piece), PIECE):
        scanner.feed(piece[start : start + PIECE])
        _check(scanner, limits)
        await asyncio.sleep(0)


def too_large(megabytes: int) -> RejectedError:
    return RejectedError(
        413,
        f"The request is larger than {megabytes} MB, the most that this gateway takes (STACKSPOT_MAX_BODY_MB).",
        code="request_too_large",
    )


def parsed(body: bytes, names: int) -> dict[str, Any]:
    """The object in `body`, which has `names` names in it: fewer in the object means that one stands there twice."""
    if not body:
        raise RejectedError(400, "The request has no body: send a JSON object.")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        value = _repaired(body, error)
    if not isinstance(value, dict):
        raise RejectedError(400, "The body must be a JSON object, not another JSON value.")
    if count_names(value) != names:
        raise RejectedError(
            400, "The body is not valid JSON for a request: an object in it has two members of one name."
        )
    return value


def count_names(value: Any) -> int:
    """The members of all objects in `value`."""
    count, waiting = 0, [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            count += len(value)
            waiting += [item for item in value.values() if isinstance(item, dict | list)]
        else:
            waiting += [item for item in value if isinstance(item, dict | list)]
    return count


def _repaired(body: bytes, error: orjson.JSONDecodeError) -> Any:
    """The value in `body` if half of a surrogate pair is all that is wrong: clients that cut texts send such."""
    if body.startswith(b"\xef\xbb\xbf"):
        raise RejectedError(400, "The body is not valid JSON: it begins with a byte order mark (BOM).") from None
    if b"\\ud" in body.lower() and body.count(b"\\") <= _MOST_REPAIRED:
        try:
            return orjson.loads(_ESCAPES.sub(lambda found: b"\\ufffd" if found[1] else found[0], body))
        except orjson.JSONDecodeError:
            pass
    try:
        body.decode()
    except UnicodeDecodeError as wrong:
        raise RejectedError(400, f"The body is not valid JSON: it is not UTF-8 at byte {wrong.start}.") from None
    raise RejectedError(
        400, f"The body is not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})."
    ) from None


def _check(scanner: Scanner, limits: RequestLimits) -> None:
    if scanner.deepest > limits.max_json_depth:
        raise RejectedError(
            400,
            f"The request is nested more than {limits.max_json_depth} levels deep, the most that this gateway takes "
            "(STACKSPOT_MAX_JSON_DEPTH).",
        )
    if scanner.values > limits.max_json_values:
        raise RejectedError(
            400,
            f"The request holds more than {limits.max_json_values} JSON values, the most that this gateway takes "
            "(STACKSPOT_MAX_JSON_VALUES).",
        )


async def received(receive: Receive) -> AsyncIterator[bytes]:
    """The pieces of a body as they come. Raises RejectedError when they do not."""
    end = asyncio.get_running_loop().time() + TOTAL_SECONDS
    more = True
    while more:
        try:
            async with asyncio.timeout_at(min(end, asyncio.get_running_loop().time() + SILENCE_SECONDS)):
                message = await receive()
        except TimeoutError:
            raise RejectedError(408, "The request did not arrive in time: its body was not sent to the end.") from None
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        more = message.get("more_body", False)
        yield message.get("body", b"")


async def _decoded(pieces: AsyncIterator[bytes], encoding: str, limits: RequestLimits) -> AsyncIterator[bytes]:
    """What `pieces` hold without their Content-Encoding, never more than a limit at a time."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        async for piece in pieces:
            yield piece
        return
    if encoding not in _DECODINGS:
        raise RejectedError(
            415, "The body's Content-Encoding is not supported: send it as it is, or with gzip or deflate."
        )
    decoder, taken = zlib.decompressobj(_DECODINGS[encoding]), 0
    async for piece in pieces:
        taken += len(piece)
        if taken > limits.body_bytes:
            raise too_large(limits.max_body_mb)
        while piece and not decoder.eof:
            try:
                plain = decoder.decompress(piece, PIECE)
            except zlib.error:
                raise RejectedError(
                    400, f"The body is not what its Content-Encoding says: no valid {encoding}."
                ) from None
            piece = decoder.unconsumed_tail
            yield plain
    while not decoder.eof:
        if plain := decoder.decompress(b"", PIECE):  # what it still holds back
            yield plain
            continue
        raise RejectedError(400, f"The body is not what its Content-Encoding says: its {encoding} ends too early.")
