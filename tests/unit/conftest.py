"""A unit test speaks to this machine alone, whatever it runs in-process."""

import re
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from custom_handlers.http.network import is_loopback

_watching = False
_strangers: list[str] = []


def _refuse_strangers(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching or event not in ("socket.connect", "socket.sendto", "socket.getaddrinfo"):
        return
    host = arguments[0] if event == "socket.getaddrinfo" else arguments[1]
    if isinstance(host, tuple):
        host = host[0]
    elif event != "socket.getaddrinfo":
        return  # a file
    if isinstance(host, bytes):
        host = host.decode()
    if event == "socket.getaddrinfo" and re.fullmatch(r"[\d.]+|[\da-f:]+", host or ""):
        return  # an address already: nobody is asked
    if host and not is_loopback(host):
        # No other text is a name that anybody could have, and nobody has one in .invalid.
        if re.fullmatch(r"[\w.:-]+", host) and not host.endswith(".invalid"):
            _strangers.append(host)
        raise socket.gaierror(socket.EAI_NONAME, f"a unit test asks for {host}")


sys.addaudithook(_refuse_strangers)


@pytest.fixture(autouse=True)
def at_home() -> Iterator[None]:
    """Fails a test that asks for another machine, even if what asked goes on without it."""
    global _watching
    _strangers.clear()
    _watching = True
    yield
    _watching = False
    assert _strangers == []
