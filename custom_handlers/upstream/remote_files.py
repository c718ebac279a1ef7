"""Fetches a file from an address that a caller names: public addresses only, on every hop, bounded in size and time.

LiteLLM's own fetching reads the whole file before it looks at the size, and knows no time limit of a call.
"""

import asyncio

import httpx

from custom_handlers.http.timeouts import Deadline
from custom_handlers.litellm_adapter.http_client import NotPublicError, pooled_client, public_address

FETCH_SECONDS = 30.0
MAX_REDIRECTS = 3


class FetchError(Exception):
    """The file cannot be had, or may not be."""


async def fetch(address: str, *, most: int, deadline: Deadline) -> tuple[str, bytes]:
    """Media type (empty if untold) and content of a file of up to `most` bytes. Raises FetchError.

    What is public is LiteLLM's judgement: it resolves the name, and gives the address to connect to instead of it. An
    operator's `user_url_allowed_hosts` counts as public.
    """
    try:
        async with asyncio.timeout(min(FETCH_SECONDS, max(deadline.remaining, 0.0))):
            for _ in range(MAX_REDIRECTS + 1):
                checked, host = await asyncio.to_thread(public_address, address)
                request = pooled_client().build_request("GET", checked, headers={"Host": host})
                response = await pooled_client().send(request, stream=True)
                try:
                    if not response.is_redirect:
                        return response.headers.get("content-type", ""), await _content(response, most)
                    address = str(httpx.URL(address).join(response.headers["location"]))
                finally:
                    await response.aclose()
    except (NotPublicError, httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError, KeyError):
        raise FetchError from None  # TimeoutError is an OSError
    raise FetchError


async def _content(response: httpx.Response, most: int) -> bytes:
    if response.status_code != 200:
        raise FetchError
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > most:
            raise FetchError
    return bytes(content)
