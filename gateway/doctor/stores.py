"""Postgres and Redis. Without their packages, as in the container and for a team with Docker, a socket has to do."""

from __future__ import annotations

import importlib
import importlib.util
import socket
import ssl
import struct
from collections.abc import Mapping
from urllib.parse import urlsplit

from gateway.doctor.results import Result, failure, note, ok
from gateway.failures import GatewayError

SECONDS = 4.0
_SSL_REQUEST = struct.pack("!II", 8, 80877103)  # of Postgres's protocol; answered by one letter, before any login


def postgres(environ: Mapping[str, str]) -> list[Result]:
    address = environ.get("DATABASE_URL", "")
    if address and importlib.util.find_spec("psycopg"):
        try:
            importlib.import_module("database.local").require_answer(address)
        except GatewayError as error:
            return [failure("Postgres", str(error).rstrip("."), "Check DATABASE_URL, and that Postgres runs.")]
        return [ok("Postgres", "takes the login of DATABASE_URL")]
    variable = "DATABASE_URL" if address else "DATABASE_HOST"
    place = _place(address or f"postgresql://{environ.get('DATABASE_HOST', '')}")
    if not address and not environ.get("DATABASE_HOST"):
        advice = "`make run` brings its own; the Docker stack's is looked at by doctor in its container."
        return [note("Postgres", "not configured here (DATABASE_URL)", advice)]
    if place is None:
        advice = "It has to be like postgresql://user:password@host:5432/database."
        return [failure("Postgres", f"{variable} is no address of a server", f"Check {variable}. {advice}")]
    try:
        with socket.create_connection(place, SECONDS) as connection:
            connection.sendall(_SSL_REQUEST)
            if connection.recv(1) not in (b"S", b"N"):
                return [failure("Postgres", "what answers there is no Postgres", f"Check {variable}.")]
    except OSError as error:
        return [
            failure("Postgres", f"cannot be reached ({_reason(error)})", f"Check {variable}, and that Postgres runs.")
        ]
    return [ok("Postgres", "answers; the login was not tried, as psycopg is not installed here")]


def _place(address: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port or 5432
    except ValueError:
        return None
    return (host, port) if host and parts.scheme in ("postgresql", "postgres") else None


def redis(environ: Mapping[str, str]) -> list[Result]:
    host, port = environ.get("REDIS_HOST", ""), environ.get("REDIS_PORT") or "6379"
    if not host:
        told = "not configured here (REDIS_HOST)"
        return [
            note("Redis", told, "One worker needs none; the Docker stack's is looked at by doctor in its container.")
        ]
    if not port.isascii() or not port.isdecimal() or not 0 < int(port[:6]) < 65536:
        return [failure("Redis", "REDIS_PORT is no port", "Check REDIS_PORT.")]
    words = [environ["REDIS_PASSWORD"]] if environ.get("REDIS_PASSWORD") else []
    if words and environ.get("REDIS_USERNAME"):
        words.insert(0, environ["REDIS_USERNAME"])
    try:
        with socket.create_connection((host, int(port)), SECONDS) as plain:
            connection = plain
            if environ.get("REDIS_SSL", "").lower() == "true":
                context = ssl.create_default_context(cafile=environ.get("SSL_CERT_FILE") or environ.get("CA_BUNDLE"))
                connection = context.wrap_socket(plain, server_hostname=host)
            refused = _say(connection, "AUTH", *words) if words else b""
            answer = refused if refused.startswith(b"-") else _say(connection, "PING")
    except OSError as error:
        return [failure("Redis", f"cannot be reached ({_reason(error)})", "Check REDIS_HOST, REDIS_PORT, REDIS_SSL.")]
    if answer.startswith((b"-NOAUTH", b"-WRONGPASS", b"-ERR")):
        return [failure("Redis", "refuses the login", "Check REDIS_PASSWORD and REDIS_USERNAME.")]
    if answer.startswith(b"-LOADING"):
        return [note("Redis", "still loads its data", "Run doctor again in a minute.")]
    if not answer.startswith(b"+PONG"):
        return [failure("Redis", "what answers there is no Redis", "Check REDIS_HOST and REDIS_PORT.")]
    return [ok("Redis", "takes the login and answers" if words else "answers")]


def _say(connection: socket.socket, *words: str) -> bytes:
    encoded = [word.encode() for word in words]
    lines = b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)
    connection.sendall(b"*%d\r\n%b" % (len(encoded), lines))
    return connection.recv(512)


def _reason(error: OSError) -> str:
    """What the system says, which holds no address."""
    if isinstance(error, socket.gaierror):
        return "the host's name is unknown"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLError):
        return "no TLS that can be trusted"
    return (error.strerror or type(error).__name__).lower()
