"""The gateway's address and port, as people write them, in one form."""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

import psutil

from custom_handlers.http.network import is_loopback
from gateway.failures import Failure, InputError

DEFAULT_PORT = 4000
# What people copy along from a client's settings or from the browser.
_BEHIND = re.compile(r"/(v1|ui)(/.*)?$")


def gateway_url(environ: Mapping[str, str]) -> str:
    """Where the gateway is, without a slash at the end: GATEWAY_URL, else this machine. Raises InputError."""
    given = environ.get("GATEWAY_URL", "").strip()
    return normal(given) if given else f"http://127.0.0.1:{port(environ)}"


def normal(given: str) -> str:
    """An address with its scheme (https, unless it is this machine's) and without what is behind the gateway's root."""
    wrong = InputError(f"GATEWAY_URL is {given!r}: it has to be an address like https://gateway.example.com.")
    text = given if "://" in given else f"//{given}"
    try:
        parts = urlsplit(text)
        host, number = parts.hostname or "", parts.port
    except ValueError:
        raise wrong from None
    scheme = parts.scheme or ("http" if is_loopback(host) else "https")
    if scheme not in ("http", "https") or not re.fullmatch(r"[a-z0-9._:%-]+", host) or number == 0:
        raise wrong
    if parts.username is not None:
        raise InputError("GATEWAY_URL holds a user or a password: it has to be the gateway's address alone.")
    if re.search(r"\s", given):
        raise wrong
    shown = f"[{host}]" if ":" in host else host
    path = _BEHIND.sub("", parts.path.rstrip("/"))
    return f"{scheme}://{shown}{f':{number}' if number else ''}{path}".rstrip("/")


def port(environ: Mapping[str, str]) -> int:
    """GATEWAY_PORT. Raises InputError."""
    return whole(environ, "GATEWAY_PORT", DEFAULT_PORT, 65535)


def whole(environ: Mapping[str, str], variable: str, default: int, most: int) -> int:
    """A whole number from 1 to `most`. Raises InputError."""
    given = environ.get(variable, "").strip() or str(default)
    if not given.isascii() or not given.isdecimal() or not 0 < int(given[:9]) <= most or len(given) > 9:
        raise InputError(f"{variable} is {given!r}: it has to be a whole number from 1 to {most}.")
    return int(given)


def require_free(host: str, number: int) -> None:
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
            raise Failure(
                f"Port {number} is in use{_by(number)}: stop that, or choose another port with GATEWAY_PORT."
            ) from None
        if error.errno == errno.EADDRNOTAVAIL:
            raise InputError(f"GATEWAY_BIND is {host!r}, which is no address of this machine.") from None
        raise Failure(f"Port {number} cannot be used ({os.strerror(error.errno or 0)}): choose GATEWAY_PORT.") from None


def _by(number: int) -> str:
    """Who listens there, where this user may know."""
    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == number and connection.pid:
                return f" by {psutil.Process(connection.pid).name()} (process {connection.pid})"
    return ""
