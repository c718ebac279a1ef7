"""Clients that no library would write: they leave at a stage, read slowly, or hold connections."""

import json
import random
import socket
import struct
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from tests.gateway.calling import PATHS, request_body
from tests.harness import Server

CONNECTED, HALF_HEAD, HEAD, HALF_BODY, ASKED, FIRST_BYTE, SOME_ANSWER = STAGES = (
    *("connected", "half a head", "a head", "half a body", "asked", "first byte", "some of the answer"),
)
WAIT_SECONDS = 20.0


def connect(server: Server, receive_buffer: int | None = None) -> socket.socket:
    address = urlsplit(server.url)
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(WAIT_SECONDS)
    connection.connect((address.hostname or "", address.port or 0))
    return connection


def request(server: Server, key: str, route: str, **fields: Any) -> tuple[bytes, bytes]:
    """Head and body."""
    body = json.dumps(request_body(route) | fields).encode()
    head = f"POST {PATHS[route]} HTTP/1.1\r\nHost: {urlsplit(server.url).netloc}\r\nAuthorization: Bearer {key}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode(), body


def leave(server: Server, key: str, route: str, stage: str, dice: random.Random, **fields: Any) -> None:
    """Goes as far as `stage`, stays for a moment, and is gone: with a reset, or in order."""
    head, body = request(server, key, route, **fields)
    sent = {CONNECTED: b"", HALF_HEAD: head[: len(head) // 2], HEAD: head, HALF_BODY: head + body[: len(body) // 2]}
    with suppress(OSError), connect(server) as connection:
        connection.sendall(sent.get(stage, head + body))
        if stage == FIRST_BYTE:
            connection.recv(1)
        elif stage == SOME_ANSWER:
            connection.recv(1)
            time.sleep(0.2)
            connection.recv(300)
        time.sleep(dice.random() * 0.3)
        if dice.random() < 0.5:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
