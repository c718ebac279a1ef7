"""LiteLLM's management API over HTTP: the same calls for a gateway in Docker, on this machine or far away."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

import click
import httpx

from custom_handlers.http.network import is_loopback
from gateway.addresses import gateway_url, normal
from gateway.dotenv import environment, file_values
from gateway.failures import GatewayError, InputError
from gateway.names import EXAMPLE, OWN, misspelt
from gateway.project import ROOT

__all__ = ["Gateway", "RefusedError", "named_fields", "settings", "with_gateway"]

TIMEOUT_SECONDS = 30
MASTER_KEY = "LITELLM_MASTER_KEY"
PAGE_SIZE = 100


class RefusedError(GatewayError):
    """The gateway's answer was an error; carries its status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"The gateway refused: {reason} (HTTP {status})")
        self.status = status
        self.reason = reason


class Gateway:
    """A running gateway, and the key that opens its API: the master key, or a developer's own from `source`."""

    def __init__(self, url: str, key: str, source: str = MASTER_KEY) -> None:
        self.url = url.rstrip("/")
        self.hashed_key = hashlib.sha256(key.encode()).hexdigest()  # LiteLLM's own name of it
        self._source = source
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=TIMEOUT_SECONDS,
            trust_env=not _on_loopback(self.url),  # the environment's proxies are for the outside world
        )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Gateway:
        url = gateway_url(environ)
        key = environ.get("LITELLM_MASTER_KEY")
        if not key:
            raise InputError("LITELLM_MASTER_KEY is missing: set it in the environment or in .env (`make env`).")
        if not key.isascii() or not key.isprintable():
            raise InputError("LITELLM_MASTER_KEY holds a character that no key has.")
        gateway = cls(url, key)
        gateway.warn_in_the_clear()
        return gateway

    def warn_in_the_clear(self) -> None:
        if urlsplit(self.url).scheme == "http" and not _on_loopback(self.url):
            whose = "the master key" if self._source == MASTER_KEY else "your key"
            print(f"Note: {whose} travels to {self.url} in the clear; use https.", file=sys.stderr)

    def get(self, path: str, **params: Any) -> Any:
        return self._call("GET", path, params=params)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._call("POST", path, json=dict(body))

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._call("PATCH", path, json=dict(body))

    def keys(self, **filters: str) -> Iterator[dict[str, Any]]:
        """Every virtual key as LiteLLM stores it, without the key itself."""
        page = pages = 1
        while page <= pages:
            answer = self.get("/key/list", return_full_object=True, page=page, size=PAGE_SIZE, **filters)
            yield from answer["keys"]
            page, pages = page + 1, answer["total_pages"]

    def teams(self) -> Iterator[dict[str, Any]]:
        page = pages = 1
        while page <= pages:
            answer = self.get("/v2/team/list", page=page, page_size=PAGE_SIZE)
            yield from answer["teams"]
            page, pages = page + 1, answer["total_pages"]

    def model_names(self) -> set[str]:
        return {model["id"] for model in self.get("/v1/models")["data"]}

    def _not_taken(self, reason: str) -> str:
        if self._source == MASTER_KEY:
            return f"The gateway at {self.url} does not take {MASTER_KEY} as its master key."
        if "Expired Key" in reason:
            return f"The key from {self._source} has expired: ask your administrator for a new one."
        return f"The gateway at {self.url} does not take the key from {self._source}."

    def _call(self, method: str, path: str, **request: Any) -> Any:
        try:
            response = self._http.request(method, path, **request)
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise GatewayError(f"The gateway at {self.url} cannot be reached ({reason}): is it running?") from None
        reason = _reason(response)
        if response.status_code == 401 or (response.status_code == 403 and "not allowed to call this route" in reason):
            raise GatewayError(self._not_taken(reason))
        if response.is_error:
            raise RefusedError(response.status_code, reason)
        try:
            return response.json()
        except ValueError:
            raise GatewayError(f"What answers at {self.url} is not a LiteLLM gateway.") from None


def _reason(response: httpx.Response) -> str:
    """The message in an error of LiteLLM's, which has three shapes."""
    if not response.is_error:
        return ""
    try:
        body = response.json()
    except ValueError:
        return response.reason_phrase
    found = body.get("error", body.get("detail", body)) if isinstance(body, dict) else body
    while isinstance(found, dict):
        found = found.get("message") or found.get("error") or str(found)
    return str(found).removeprefix("{'error': '").removesuffix("'}").strip().rstrip(".")


def _on_loopback(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")


def settings() -> dict[str, str]:
    """The environment and `.env`, with the address of `--url`. Raises InputError for what is misspelt in them."""
    environ = environment(ROOT)
    if EXAMPLE.exists() and (mistakes := misspelt(file_values(ROOT), environ, OWN)):
        raise InputError("\n".join(mistakes))
    context = click.get_current_context(silent=True)
    url = context.find_root().params.get("url") if context else None
    return {**environ, "GATEWAY_URL": normal(url, "--url")} if url else environ


def with_gateway(command: Callable[..., None]) -> Callable[..., None]:
    """A command that is given the gateway which the environment, `.env` or `--url` name."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> None:
        gateway = Gateway.from_environment(settings())
        with named_fields(gateway):
            command(gateway, *arguments, **options)

    return run


@contextmanager
def named_fields(gateway: Gateway) -> Iterator[None]:
    """Says in a sentence that an answer lacks a field."""
    try:
        yield
    except KeyError as error:
        raise GatewayError(
            f"The answer of {gateway.url} has no {error}: this is made for the gateway's own version of LiteLLM."
        ) from None
