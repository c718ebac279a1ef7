"""Calls the stand-in the way a client would, and reads the bytes that come back, write by write."""

import json
import socket
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.harness import AGENTS, Account

AGENT = AGENTS["stackspot-ai-chat"]
OTHER_AGENT = AGENTS["stackspot-ai-code"]


@dataclass
class Raw:
    """A response as it came: `writes` are its HTTP chunks, `whole` says whether its framing was completed."""

    status: int | None
    headers: dict[str, str]
    writes: list[bytes]
    whole: bool

    @property
    def body(self) -> bytes:
        return b"".join(self.writes)

    @property
    def objects(self) -> list[Any]:
        """Every `data:` field that is JSON, decoded."""
        lines = self.body.replace(b"\r", b"\n").split(b"\n")
        return [json.loads(line[6:]) for line in lines if line.startswith(b"data: {")]

    @property
    def deltas(self) -> list[Any]:
        """The `message` of every object but the final one."""
        return [o["message"] for o in self.objects if "tokens" not in o and "stop_reason" not in o]

    @property
    def final(self) -> Any:
        return self.objects[-1]


@dataclass
class Caller:
    """One client of the stand-in, with its token."""

    url: str
    account: Account
    http: httpx.Client
    token: str = field(default="", init=False)

    def ask_token(self, realm: str | None = None, **fields: str) -> httpx.Response:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.account.client_id,
            "client_secret": self.account.client_secret,
            **fields,
        }
        return self.http.post(f"{self.url}/{realm or self.account.realm}/oidc/oauth/token", data=form)

    @property
    def bearer(self) -> dict[str, str]:
        if not self.token:
            self.token = self.ask_token().json()["access_token"]
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def key(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.account.api_key}"}

    def chat(self, prompt: Any = "hello", agent: str = AGENT, timeout: float = 5, **fields: Any) -> httpx.Response:
        """A plain chat."""
        body = {"user_prompt": prompt, **fields}
        path = f"{self.url}/v1/agent/{agent}/chat"
        return self.http.post(path, json=body, headers=self.bearer, timeout=timeout)

    def stream(self, prompt: str = "hello", agent: str = AGENT, **fields: Any) -> Raw:
        """A streamed chat."""
        body = {"user_prompt": prompt, "streaming": True, **fields}
        return exchange(self.url, f"/v1/agent/{agent}/chat", self.bearer, body)

    def complete(self, prompt: str = "hello", path: str = "chat", **fields: Any) -> httpx.Response:
        """A plain call of the key API."""
        body = {"model": "stackspot-ai-chat", "messages": [{"role": "user", "content": prompt}], **fields}
        return self.http.post(f"{self.url}/v1/{path}/completions", json=body, headers=self.key)

    def stream_completion(self, prompt: str = "hello", **fields: Any) -> Raw:
        """A streamed call of the key API."""
        messages = [{"role": "user", "content": prompt}]
        body = {"model": "stackspot-ai-chat", "messages": messages, "stream": True, **fields}
        return exchange(self.url, "/v1/chat/completions", self.key, body)


def exchange(url: str, path: str, headers: dict[str, str], body: Any, timeout: float = 5) -> Raw:
    """POST `body` and read until the other side closes; `TimeoutError` if it is silent for `timeout` seconds."""
    address = urlsplit(url)
    raw = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", f"Host: {address.netloc}", "Connection: close", f"Content-Length: {len(raw)}"]
    lines += ["Content-Type: application/json", *(f"{name}: {value}" for name, value in headers.items())]
    received = b""
    with socket.create_connection((address.hostname or "", address.port or 0), timeout) as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + raw)
        while piece := connection.recv(65536):
            received += piece
    return _parse(received)


def _parse(received: bytes) -> Raw:
    if not received:
        return Raw(None, {}, [], False)
    head, _, rest = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    status = int(first.split()[1])
    if headers.get("transfer-encoding") != "chunked":
        return Raw(status, headers, [rest], len(rest) == int(headers.get("content-length", "0")))
    writes: list[bytes] = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            return Raw(status, headers, writes, True)
        writes.append(rest[:length])
        rest = rest[length + 2 :]
    return Raw(status, headers, writes, False)
