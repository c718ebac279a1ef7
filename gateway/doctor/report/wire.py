"""Few requests to StackSpot with the settings' credentials, and what was seen of each answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from gateway.doctor import answer, stackspot
from gateway.doctor.agents import agents_of
from gateway.doctor.network import client
from gateway.doctor.report import stream
from gateway.doctor.report.shapes import Shapes, kind, media_type
from gateway.names import configuration

SECONDS = 30.0
NO_AGENT = "01ARZ3NDEKTSV4RRFFQ69G5FAV"  # the specification's own example of such an id
NO_CLIENT = "a-client-that-does-not-exist"
PROMPT = "Count from one to ten, in words."


@dataclass
class Exchange:
    """One answer, without anything that it said."""

    status: int = 0  # 0: there was none
    content_type: str = ""
    headers: list[str] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)  # the type of each field of a JSON object
    shape: str = ""
    broken: str = ""
    streamed: stream.Stream | None = None

    @property
    def told(self) -> str:
        """In a few words."""
        if not self.status:
            return f"no answer ({self.broken})"
        return f"HTTP {self.status}, {self.content_type}, {self.shape}"


@dataclass
class Wire:
    seen: dict[str, Exchange] = field(default_factory=dict)

    def get(self, name: str) -> Exchange | None:
        """An exchange that had an answer."""
        found = self.seen.get(name)
        return found if found and found.status else None

    @property
    def stream(self) -> stream.Stream | None:
        found = self.get("stream")
        return found.streamed if found else None


def look(environ: Mapping[str, str]) -> Wire:
    env = {name: value.strip() for name, value in environ.items()}
    idm, inference = (stackspot.address(env, name) for name in ("STACKSPOT_IDM_URL", "STACKSPOT_INFERENCE_URL"))
    realm, client_id = env.get("STACKSPOT_REALM", ""), env.get("STACKSPOT_CLIENT_ID", "")
    secret = env.get("STACKSPOT_CLIENT_SECRET") or env.get("STACKSPOT_CLIENT_KEY", "")
    agents = list(agents_of("", env, configuration()))
    hosts = [part for each in (idm, inference) for part in (urlsplit(each).netloc, urlsplit(each).hostname or "")]
    private = [realm, client_id, secret, *agents, *hosts]
    wire = Wire()
    if not (realm and client_id and secret and re.fullmatch(r"[\w.-]+", realm)):
        return wire
    token = ""

    def ask(name: str, method: str, url: str, **request: Any) -> Any:
        wire.seen[name], body = _exchange(env, method, url, Shapes([*private, token]), request)
        return body

    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    given = ask("token", "POST", f"{idm}/{realm}/oidc/oauth/token", data=form)
    wrong = {**form, "client_id": NO_CLIENT, "client_secret": "none"}
    ask("wrong client", "POST", f"{idm}/{realm}/oidc/oauth/token", data=wrong)
    token = given["access_token"] if isinstance(given, dict) and isinstance(given.get("access_token"), str) else ""
    if not token or not token.isascii() or not token.isprintable():
        return wire
    bearer = {"Authorization": f"Bearer {token}"}
    ask("list of LLMs", "GET", f"{inference}/v1/llm/models?active=true&page_size=1", headers=bearer)
    for name, method, url, request in _chats(f"{inference}/v1/agent", agents, bearer):
        ask(name, method, url, **request)
    return wire


def _chats(base: str, agents: list[str], bearer: Mapping[str, str]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    body = {"user_prompt": PROMPT, "streaming": False, "stackspot_knowledge": False}
    yield "unknown agent", "POST", f"{base}/{NO_AGENT}/chat", {"json": body, "headers": bearer}
    for agent in agents[:1]:  # the wire is the service's: one agent shows it
        url = f"{base}/{agent}/chat"
        sse = {**bearer, "Accept": "text/event-stream"}
        yield "stream", "POST", url, {"json": {**body, "streaming": True}, "headers": sse}
        yield "plain", "POST", url, {"json": body, "headers": bearer}
        yield "wrong token", "POST", url, {"json": body, "headers": {"Authorization": "Bearer none"}}
        yield "no prompt", "POST", url, {"json": {"streaming": False}, "headers": bearer}


def _exchange(
    env: Mapping[str, str], method: str, url: str, shapes: Shapes, request: Mapping[str, Any]
) -> tuple[Exchange, Any]:
    found = Exchange()
    try:
        with client(url, env, SECONDS) as http, http.stream(method, url, **request) as response:
            found.status = response.status_code
            found.content_type = media_type(response.headers.get("content-type", ""))
            found.headers = shapes.names(response.headers)
            body, found.broken = _body(response)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        found.broken = type(error).__name__
        return found, None
    if "event-stream" in found.content_type or body.startswith(b"data:"):
        found.streamed = stream.read(body, shapes)
        found.shape = "a stream"
        return found, None
    told = _json(body)
    found.shape = "empty" if not body else "no JSON" if told is None else shapes.of(told)
    if isinstance(told, dict):
        found.types = {shapes.name(str(name)): kind(value) for name, value in told.items()}
    return found, told


def _body(response: httpx.Response) -> tuple[bytes, str]:
    pieces = answer.Pieces(response.iter_bytes())
    body = b""
    for piece in pieces:
        body += piece
        if len(body) > answer.MOST_BYTES:
            return body, "longer than a short answer can be"
    return body, "ReadTimeout" if pieces.silent else pieces.broken


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
