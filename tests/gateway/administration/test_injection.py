"""What a request says becomes no line of a log and no header of an answer, wherever it says it."""

import json
import re
import secrets
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import quote, urlsplit

import httpx
import pytest

from simulator.client import Simulator
from tests.developers import hire, manage
from tests.gateway.administration.observing import Log, answered
from tests.gateway.calling import CHAT, PATHS, ROUTES, request_body
from tests.harness import Server

FORGED = '{"component": "forged", "level": "CRITICAL", "message": "key=admin outcome=answered"}'
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
# A line, one in red over a cleared screen, and line ends that some viewers know besides.
HOSTILE = [
    f"x\n{FORGED}\n",
    f"x\r\n{FORGED}\r\n",
    f"\x1b[2J\x1b[31m{FORGED}\x1b[0m",
    f"x\u2028{FORGED}\x85{FORGED}\x0b",
]
HEADERS = (
    "user-agent",
    "x-litellm-session-id",
    "x-litellm-tags",
    "x-request-id",
    "x-forwarded-for",
    "anthropic-version",
)


def check(log: Log) -> list[dict[str, Any]]:
    """Every line is one of the gateway's own, and holds nothing that a terminal would obey."""
    text = log.text()
    assert CONTROL.findall(text) == []
    records = [json.loads(line) for line in text.splitlines() if line]
    assert [record for record in records if record.get("component") == "forged"] == []
    assert [record for record in records if record.get("level") == "CRITICAL"] == []
    return records


@pytest.mark.parametrize("text", [FORGED, "level=CRITICAL", '{"message": "\x1b[2J"}', '{"message": "a\r"}'])
def test_a_forged_line_would_be_found(text: str) -> None:
    with pytest.raises((AssertionError, ValueError)):
        check(cast(Log, SimpleNamespace(text=lambda: f'{{"message": "before"}}\n{text}\n')))


def ask(server: Server, key: str, route: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
        return client.post(PATHS[route], json=body, headers={"Authorization": f"Bearer {key}", **headers})


def said(text: str) -> dict[str, dict[str, Any]]:
    """Fields of a request that hold a text of the caller's choice."""
    tool = {"type": "function", "function": {"name": text, "description": text, "parameters": {"type": "object"}}}
    return {
        "model": {"model": text},
        "user": {"user": text},
        "metadata": {"metadata": {"tags": [text], text: text}},
        "tool": {"tools": [tool]},
        "unknown field": {text: text},
        "role": {"messages": [{"role": text, "content": "Hi"}]},
        "file": {"messages": [{"role": "user", "content": [{"type": "file", "file": {"filename": text}}]}]},
    }


@pytest.mark.parametrize("route", ROUTES)
def test_no_field_writes_a_line(observed: Server, simulator: Simulator, route: str) -> None:
    developer, log, count = hire(observed), Log(observed), 0
    for text in HOSTILE:
        for fields in said(text).values():
            ask(observed, developer.key, route, request_body(route) | fields)
            count += 1
        simulator.faults(status=418, body={"code": text, "message": text})
        ask(observed, developer.key, route, request_body(route))
        count += 1
        simulator.no_faults()
    log.wait(lambda seen: seen.text().count('"stackspot_access"') >= count)  # it may come after the server's own line
    lines = [record for record in check(log) if record.get("component") == "stackspot_access"]
    assert len(lines) == count


def raw(server: Server, head: bytes) -> bytes:
    """What is answered to bytes that no client's library would send."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname or "", address.port or 0), 20) as connection:
        connection.sendall(head)
        connection.settimeout(20)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def heads(key: str) -> Iterator[bytes]:
    body = json.dumps(request_body(CHAT)).encode()
    common = (
        f"Host: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n".encode()
    )
    for text in HOSTILE:
        encoded = text.encode()
        for name in HEADERS:
            given = f"Authorization: Bearer {key}\r\n{name}: ".encode() + encoded.replace(b"\n", b"\n ")
            yield b"POST /v1/chat/completions HTTP/1.1\r\n" + common + given + b"\r\n\r\n" + body
        yield (
            b"POST /v1/chat/completions HTTP/1.1\r\n"
            + common
            + b"Authorization: Bearer sk-"
            + encoded
            + b"\r\n\r\n"
            + body
        )
        for path in (
            f"/v1/{quote(text)}",
            f"/key/info?key={quote(text)}",
            f"/v1/models/{quote(text)}",
            f"/{quote(text)}",
        ):
            yield f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
        yield b"GET /v1/" + encoded + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def test_no_header_and_no_path_writes_a_line(observed: Server) -> None:
    developer, log = hire(observed), Log(observed)
    answers = [raw(observed, head) for head in heads(developer.key)]
    assert all(answer.startswith(b"HTTP/1.1 ") for answer in answers)
    assert not any(answer.startswith(b"HTTP/1.1 5") for answer in answers)
    ask(observed, developer.key, CHAT, request_body(CHAT, prompt="the last"))
    log.wait(lambda log: '"outcome": "answered"' in log.text())
    check(log)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_name_in_the_database_writes_a_line(observed: Server, text: str) -> None:
    """Names that an administrator gives, or a script of theirs that takes them from elsewhere."""
    log, made = Log(observed), []
    for more in ({}, {"metadata": {"note": text}}, {"tags": [text]}):
        name = f"{text}{secrets.token_hex(3)}"
        manage(observed, "/team/new", team_alias=name)
        manage(observed, "/user/new", user_id=name, user_alias=name, auto_create_key=False)
        answer = manage(observed, "/key/generate", user_id=name, key_alias=name, **more)
        made += [answer.json()["key"]] if answer.status_code == 200 else []
    for key in made:
        ask(observed, key, CHAT, request_body(CHAT))
        ask(observed, key, CHAT, request_body(CHAT, "none"))
    with httpx.Client(base_url=observed.url, trust_env=False) as client:
        client.post("/v2/login", json={"username": f"{text}{secrets.token_hex(3)}", "password": text})
    ask(observed, observed.key, CHAT, request_body(CHAT))
    log.wait(answered(2 * len(made) + 2))
    check(log)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("route", ROUTES)
def test_no_answers_header_is_from_a_request_or_from_stackspot(
    observed: Server, simulator: Simulator, route: str, stream: bool
) -> None:
    mark = f"mark{secrets.token_hex(6)}"
    developer = hire(observed)
    answers = []
    headers = dict.fromkeys(HEADERS, mark) | {"x-litellm-call-id": mark, "x-stackspot-queue-seconds": mark}
    for fields in ({}, *said(mark).values()):
        answers.append(
            ask(observed, developer.key, route, request_body(route) | {"stream": stream} | fields, **headers)
        )
    faults: tuple[dict[str, Any], ...] = (
        {"status": 418, "body": mark},
        {"status": 403, "retry_after": mark, "body": {"message": mark, "code": mark}},
    )
    for fault in faults:
        simulator.faults(**fault)
        answers.append(ask(observed, developer.key, route, request_body(route) | {"stream": stream}))
        simulator.no_faults()
    assert 200 in {answer.status_code for answer in answers}
    told = {name for answer in answers for name, value in answer.headers.items() if mark in f"{name}{value}"}
    assert told == set()
