"""LiteLLM's pooled HTTP client, and its judgement of addresses.

LiteLLM is imported by the first call alone: whoever only checks a configuration does not wait for it.
"""

import httpx

from custom_handlers.core.models import PROVIDER

CONNECT_SECONDS = 10.0


def pooled_client() -> httpx.AsyncClient:
    """The client for StackSpot. LiteLLM caches it per event loop; asked for at every call, since a loop may be new."""
    from litellm.llms.custom_httpx.http_handler import get_async_httpx_client, get_ssl_verify

    verify = get_ssl_verify()
    return get_async_httpx_client(
        PROVIDER,
        {
            "timeout": httpx.Timeout(None, connect=CONNECT_SECONDS),
            "follow_redirects": False,
            "ssl_verify": verify if isinstance(verify, str) else True,
        },
    ).client


class NotPublicError(Exception):
    """An address that may not be fetched."""


def public_address(address: str) -> tuple[str, str]:
    """The address to connect to in place of `address`, with its name resolved, and its host. Raises NotPublicError."""
    from litellm.litellm_core_utils.url_utils import SSRFError, validate_url

    try:
        return validate_url(address)
    except SSRFError:
        raise NotPublicError from None
