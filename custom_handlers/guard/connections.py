"""Clients' connections: as many as the system allows, and none on which no request comes.

uvicorn limits the time between two requests, not the time that the head of one takes: a client that sends it byte by
byte, or never, would hold its connection for ever.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import Any

HEAD_SECONDS = 30.0  # at least so long, and at most twice
_SERVERS = {
    "uvicorn.protocols.http.h11_impl": "H11Protocol",
    "uvicorn.protocols.http.httptools_impl": "HttpToolsProtocol",
}
_WATCHED = "stackspot_head_seconds"


def allow_many() -> None:
    """Raises the limit of open files to the most that this user may have: a shell's is often 1,024."""
    with suppress(ImportError, ValueError, OSError):  # Windows has none
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def close_silent(seconds: float = HEAD_SECONDS) -> None:
    """From now on, on this process's server. Safe to call again."""
    for module, name in _SERVERS.items():
        kind = getattr(sys.modules.get(module), name, None)
        if kind is None:
            continue
        if not hasattr(kind, _WATCHED):
            _watch(kind)
        setattr(kind, _WATCHED, seconds)


def _watch(kind: Any) -> None:
    made = kind.connection_made

    def connection_made(protocol: Any, transport: asyncio.Transport) -> None:
        made(protocol, transport)
        _look_later(protocol, transport, waiting_since=_Nothing)

    kind.connection_made = connection_made


class _Nothing:
    """No request, not even an earlier one, that a connection was waiting behind at the last look."""


def _look_later(protocol: Any, transport: asyncio.Transport, waiting_since: object) -> None:
    protocol.loop.call_later(getattr(type(protocol), _WATCHED), _look, protocol, transport, waiting_since)


def _look(protocol: Any, transport: asyncio.Transport, waiting_since: object) -> None:
    """Closes a connection that waits for the same request as at the last look."""
    current: Any = transport.get_protocol()
    if transport.is_closing() or current is not protocol:
        return
    cycle = current.cycle
    between_requests = current.timeout_keep_alive_task is not None  # uvicorn looks after it itself
    waits = (cycle is None or cycle.response_complete) and not between_requests
    if waits and waiting_since is cycle:
        transport.close()
        return
    _look_later(protocol, transport, waiting_since=cycle if waits else _Nothing)
