"""The running gateway, this machine's memory, and LiteLLM's version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import httpx

from custom_handlers.http.network import is_loopback
from gateway.addresses import gateway_url
from gateway.doctor.network import client, unreachable
from gateway.doctor.results import Result, failure, note, ok, warning
from gateway.failures import InputError
from gateway.project import ROOT, on_host

SECONDS = 4.0
# Published by an attacker (SECURITY.md), and the first without a known hole (docker-compose.yml).
BAD_VERSIONS = ("1.82.7", "1.82.8", "1.107.0")
FIRST_GOOD = (1, 108, 13)
GIGABYTE = 1024**3
_SIZES = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}


def gateway(environ: Mapping[str, str]) -> list[Result]:
    """Whether it is ready, and the versions that can be seen."""
    results, running = _readiness(environ)
    return [*results, *versions(running, _installed(), _pinned())]


def _readiness(environ: Mapping[str, str]) -> tuple[list[Result], str]:
    name = "gateway"
    try:
        url = gateway_url(environ)
    except InputError as mistake:
        return [failure(name, str(mistake).rstrip("."), "Correct it in the environment or in .env.")], ""
    named = bool(environ.get("GATEWAY_URL"))
    variable = "GATEWAY_URL" if named else "GATEWAY_PORT"
    try:
        with client(url, environ, SECONDS) as http:
            response = http.get(f"{url}/health/readiness")
        body = response.json() if "json" in response.headers.get("content-type", "") else None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        here = is_loopback(httpx.URL(url).host)
        if isinstance(error, httpx.ConnectError) and here:
            return [note(name, "not started on this machine", "`make up` or `make run` starts it.")], ""
        return [unreachable(name, variable, url, environ, error)], ""
    if not isinstance(body, dict) or "status" not in body:
        if response.status_code == 503:
            return [failure(name, "is not ready (HTTP 503)", "See `make logs`.")], ""
        return [failure(name, "what answers there is no LiteLLM gateway", f"Check {variable}.")], ""
    version = str(body.get("litellm_version") or "")
    database = str(body.get("db") or "").lower()
    if not response.is_success or "disconnected" in database:
        return [failure(name, "runs, and is not ready", "See `make logs`, and the lines of Postgres here.")], version
    told = {"connected": "ready, with its database", "not connected": "ready, without a database: it has no keys"}
    return [ok(name, told.get(database, "ready"))], version


def versions(running: str, installed: str, pinned: str) -> list[Result]:
    """A line for each different version; an empty one is not known."""
    where: dict[str, list[str]] = {}
    for version, place in ((running, "running"), (installed, "installed"), (pinned, "docker-compose.yml")):
        if version:
            where.setdefault(version, []).append(place)
    if not where:
        return [note("LiteLLM", "its version cannot be seen from here", "Run doctor in the container.")]
    return [_version(version, ", ".join(places)) for version, places in where.items()]


def _version(version: str, places: str) -> Result:
    told = f"{version} ({places})"
    advice = "Take the version of docker-compose.yml or requirements.lock, and `make upgrade`."
    if version in BAD_VERSIONS:
        return failure("LiteLLM", f"{told} was published by an attacker", f"Stop it, replace every secret. {advice}")
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if numbers < FIRST_GOOD:
        least = ".".join(map(str, FIRST_GOOD))
        return warning("LiteLLM", f"{told} is before {least}: a key can read others without a user", advice)
    return ok("LiteLLM", told)


def _installed() -> str:
    try:
        return metadata.version("litellm")
    except metadata.PackageNotFoundError:
        return ""


def _pinned() -> str:
    if not on_host():
        return ""
    text = (ROOT / "docker-compose.yml").read_text(errors="replace")
    found = re.search(r"^\s*image: \S*litellm:v?(\d+\.\d+\.\d+)", text, re.MULTILINE)
    return found[1] if found else ""


def memory(environ: Mapping[str, str]) -> list[Result]:
    """A gigabyte for each worker and one beside (.env.example): of the machine, the container, and GATEWAY_MEMORY."""
    given = environ.get("GATEWAY_WORKERS") or environ.get("NUM_WORKERS") or "1"
    if not given.isascii() or not given.isdecimal() or not 0 < int(given[:4]) <= 256:
        return [failure("memory", "GATEWAY_WORKERS is no whole number from 1 to 256", "Check GATEWAY_WORKERS.")]
    workers = int(given)
    needed = (workers + 1) * GIGABYTE
    wanted = f"{workers} workers want {workers + 1} GB" if workers > 1 else "1 worker wants 2 GB"
    limit = environ.get("GATEWAY_MEMORY", "")
    if limit and (size := _size(limit)) and size < needed:
        told = f"{wanted}, GATEWAY_MEMORY allows {_gigabytes(size)}"
        return [warning("memory", told, "Raise GATEWAY_MEMORY, or lower GATEWAY_WORKERS.")]
    found = available()
    if found is None:
        return [note("memory", "not looked at: this system does not tell it the way Linux does")]
    free, total = found
    if total < needed:
        told = f"{wanted}, there are {_gigabytes(total)} in all"
        return [warning("memory", told, "Lower GATEWAY_WORKERS, or give this machine or GATEWAY_MEMORY more.")]
    if free < GIGABYTE // 4:
        told = f"{_gigabytes(free)} free of {_gigabytes(total)}"
        return [warning("memory", told, "Lower GATEWAY_WORKERS, or give this machine or GATEWAY_MEMORY more.")]
    return [ok("memory", f"{wanted}; {_gigabytes(free)} of {_gigabytes(total)} are free now")]


def available(root: Path = Path("/")) -> tuple[int, int] | None:
    """Bytes free and in all: what the machine has, or less where a control group says so."""
    try:
        lines = dict(re.findall(r"^(\w+):\s+(\d+) kB", (root / "proc/meminfo").read_text(), re.MULTILINE))
        free, total = int(lines["MemAvailable"]) * 1024, int(lines["MemTotal"]) * 1024
    except (OSError, KeyError):
        return None
    group = root / "sys/fs/cgroup"
    try:
        most, used = int((group / "memory.max").read_text()), int((group / "memory.current").read_text())
        cache = re.search(r"^inactive_file (\d+)", (group / "memory.stat").read_text(), re.MULTILINE)
    except (OSError, ValueError):
        return free, total  # no limit
    used -= int(cache[1]) if cache else 0
    return min(free, max(most - used, 0)), min(total, most)


def _size(text: str) -> int:
    found = re.fullmatch(r"(\d{1,15})([bkmg]?)b?", text.strip().lower())
    return int(found[1]) * _SIZES[found[2]] if found else 0


def _gigabytes(size: int) -> str:
    return f"{size / GIGABYTE:.1f} GB"
