"""Whether a port of this machine can be listened on, told before anything is started on it."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import suppress

import psutil

from gateway.failures import GatewayError, InputError


def require_free(host: str, number: int, setting: str = "GATEWAY_PORT") -> None:
    """Raises Failure when nothing can listen there: LiteLLM would say so minutes later, or take another port."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror:
        raise InputError(f"GATEWAY_BIND is {host!r}, which is no address of this machine.") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise GatewayError(
                f"Port {number} is in use{_by(number)}: stop that, or choose another port with {setting}."
            ) from None
        if error.errno == errno.EADDRNOTAVAIL:
            raise InputError(f"GATEWAY_BIND is {host!r}, which is no address of this machine.") from None
        raise GatewayError(
            f"Port {number} cannot be used ({os.strerror(error.errno or 0)}): choose {setting}."
        ) from None


def _by(number: int) -> str:
    """Who listens there, where this user may know."""
    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == number and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""
