"""The gateway's address and port, as people write them, in one form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from custom_handlers.http.network import is_loopback
from gateway.failures import InputError

DEFAULT_PORT = 4000
# What people copy along from a client's settings or from the browser.
_BEHIND = re.compile(r"/(v1|ui)(/.*)?$")


def gateway_url(environ: Mapping[str, str]) -> str:
    """Where the gateway is, without a slash at the end: GATEWAY_URL, else this machine. Raises InputError."""
    given = environ.get("GATEWAY_URL", "").strip()
    return normal(given) if given else f"http://127.0.0.1:{port(environ)}"


def normal(given: str, label: str = "GATEWAY_URL") -> str:
    """An address with its scheme (https, unless it is this machine's) and without what is behind the gateway's root."""
    told = re.sub(r"^([^/]*//)?[^/]*@", r"\1...@", given)  # without a password
    wrong = InputError(f"{label} is {told!r}: it has to be an address like https://gateway.example.com.")
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
        raise InputError(f"{label} holds a user or a password: it has to be the gateway's address alone.")
    if re.search(r"\s", given):
        raise wrong
    shown = f"[{host}]" if ":" in host else host
    path = _BEHIND.sub("", parts.path.rstrip("/"))
    return f"{scheme}://{shown}{f':{number}' if number else ''}{path}".rstrip("/")


def local_url(host: str, number: int, path: str = "") -> str:
    """Where a gateway that listens on `host` is reached from its own machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{number}/{path.strip('/')}".rstrip("/")


def port(environ: Mapping[str, str]) -> int:
    """GATEWAY_PORT. Raises InputError."""
    return whole(environ, "GATEWAY_PORT", DEFAULT_PORT, 65535)


def metrics_port(environ: Mapping[str, str]) -> int | None:
    """GATEWAY_METRICS_PORT, None where it is not set. Raises InputError.

    Who reaches the port needs no key, and LiteLLM opens it on the gateway's own address.
    """
    if not environ.get("GATEWAY_METRICS_PORT", "").strip():
        return None
    number, host = whole(environ, "GATEWAY_METRICS_PORT", 0, 65535), environ.get("GATEWAY_BIND", "127.0.0.1")
    if number == port(environ):
        raise InputError("GATEWAY_METRICS_PORT is GATEWAY_PORT: metrics need a port of their own.")
    if not is_loopback(host):
        raise InputError(
            "GATEWAY_METRICS_PORT would show metrics, without a key, to all who reach GATEWAY_BIND: leave GATEWAY_BIND "
            "at 127.0.0.1, with a reverse proxy before GATEWAY_PORT alone."
        )
    return number


def whole(environ: Mapping[str, str], variable: str, default: int, most: int) -> int:
    """A whole number from 1 to `most`. Raises InputError."""
    return read_whole(variable, environ.get(variable, "").strip() or str(default), most)


def read_whole(label: str, given: str, most: int) -> int:
    """A whole number from 1 to `most`. Raises InputError."""
    if not given.isascii() or not given.isdecimal() or not 0 < int(given[:9]) <= most or len(given) > 9:
        raise InputError(f"{label} is {given!r}: it has to be a whole number from 1 to {most}.")
    return int(given)
