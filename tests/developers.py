"""Developers with virtual keys, as a platform engineer makes them by LiteLLM's management API."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

import httpx

from tests.harness import WITHOUT_TLS, Server

TIMEOUT = 60


@dataclass(frozen=True)
class Developer:
    name: str
    key: str

    @property
    def token(self) -> str:
        """How LiteLLM stores the key."""
        return hashlib.sha256(self.key.encode()).hexdigest()


def hire(gateway: Server, name: str = "dev", **limits: Any) -> Developer:
    """A developer whom no other test knows; `limits` go to the key."""
    name = f"{name}-{secrets.token_hex(3)}"
    manage(gateway, "/user/new", user_id=name, auto_create_key=False).raise_for_status()
    made = manage(gateway, "/key/generate", user_id=name, key_alias=f"{name}-laptop", **limits)
    made.raise_for_status()
    return Developer(name, made.json()["key"])


def manage(gateway: Server, path: str, **body: Any) -> httpx.Response:
    return _post(gateway, path, gateway.key, body)


def ask(gateway: Server, developer: Developer, text: str = "Hi", model: str = "stackspot-code") -> httpx.Response:
    """A new connection for each question, as connections die with what these tests kill."""
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    return _post(gateway, "/v1/chat/completions", developer.key, body)


def spend(gateway: Server, developer: Developer) -> float:
    headers = {"Authorization": f"Bearer {gateway.key}"}
    with httpx.Client(
        base_url=gateway.url, headers=headers, timeout=TIMEOUT, trust_env=False, verify=WITHOUT_TLS
    ) as client:
        response = client.get("/key/info", params={"key": developer.token})
    response.raise_for_status()
    return float(response.json()["info"]["spend"])


def _post(gateway: Server, path: str, key: str, body: dict[str, Any]) -> httpx.Response:
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(
        base_url=gateway.url, headers=headers, timeout=TIMEOUT, trust_env=False, verify=WITHOUT_TLS
    ) as client:
        return client.post(path, json=body)
