"""Fetches a file from an address that a caller names: public addresses only, on every hop, bounded in size and time.

LiteLLM's own fetching reads the whole file before it looks at the size, and knows no time limit of a call.
"""

import asyncio
import socket

import httpx

from custom_handlers.http.network import hides_private
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
                checked, host = await _public(address)
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


async def _public(address: str) -> tuple[str, str]:
    """LiteLLM's judgement, and that no IPv6 address stands for a private IPv4 one, which passes with LiteLLM 1.108.

    Of plain http the address is one that was resolved already. Behind https is a name still: whoever answers there has
    to have its certificate.
    """
    checked, host = await asyncio.to_thread(public_address, address)
    url = httpx.URL(checked)
    places = [url.host]
    if url.scheme == "https":
        looked = await asyncio.get_running_loop().getaddrinfo(url.host, url.port or 443, type=socket.SOCK_STREAM)
        places = [str(each[4][0]) for each in looked]
    if any(map(hides_private, places)):
        raise NotPublicError
    return checked, host


async def _content(response: httpx.Response, most: int) -> bytes:
    if response.status_code != 200:
        raise FetchError
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > most:
            raise FetchError
    return bytes(content)
