"""Prisma for LiteLLM: its Python client, and the engine behind it.

The native engine is downloaded from Prisma's CDN. Where that is blocked, the engine in `database/prisma-engine/`
takes its place; which one it is gets found out once, and stays so until the npm packages are installed anew.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Literal, cast, get_args

import httpx

from gateway.failures import GatewayError, last_words
from gateway.locks import exclusive
from gateway.progress import note, step

Engine = Literal["native", "fallback"]

CDN = "https://binaries.prisma.sh"
# the commit of Prisma 5.4.2, which prisma-client-py 0.11.0 is made for; any of its files tells whether the CDN answers
PROBE = "all_commits/ac9d7041ed77bcc8a8dbd2ab6616b39013829574/debian-openssl-3.0.x/query-engine.gz.sha256"
PROBE_SECONDS = 4
DOWNLOAD_SECONDS = 180
FALLBACK_NOTE = (
    "Database engine: the fallback in database/prisma-engine/, as Prisma's CDN does not answer here. Fine for one"
    " machine and for tests; production runs the official image. To try the CDN again: rm -r"
    " database/prisma-engine/node_modules"
)


class PrismaError(GatewayError):
    """Says why LiteLLM cannot have its database client."""


def prisma_environment(root: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Installs, chooses and generates what is not there yet; the result goes into LiteLLM's environment."""
    folder = root / "database" / "prisma-engine"
    venv = Path(sys.prefix)
    with exclusive(venv / ".prisma.lock") if os.access(venv, os.W_OK) else nullcontext():
        if not environ.get("PRISMA_QUERY_ENGINE_BINARY"):
            npm_install(folder)
        variables = _variables(folder, choose_engine(folder, environ), environ)
        generate({**environ, **variables})
    return variables


def _variables(folder: Path, engine: Engine | None, environ: Mapping[str, str]) -> dict[str, str]:
    common = {
        "PATH": f"{Path(sys.prefix) / 'bin'}{os.pathsep}{environ.get('PATH', os.defpath)}",
        "CHECKPOINT_DISABLE": "1",  # no telemetry
    }
    if engine is None:
        return common
    common["PRISMA_BINARY_CACHE_DIR"] = str(folder)
    if engine == "native":
        return common
    return common | {
        "PRISMA_QUERY_ENGINE_BINARY": str(folder / "query-engine.js"),
        "PRISMA_OFFLINE_MODE": "true",
        # The stand-in starts more slowly than the native engine: LiteLLM's 2 s would end each attempt before it is up.
        "PRISMA_AUTH_RECONNECT_TIMEOUT_SECONDS": "10",
        "PRISMA_RECONNECT_COOLDOWN_SECONDS": "5",
        "PRISMA_CLI_PATH": str(folder / "migrate.py"),
    }


def npm_install(folder: Path) -> None:
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules" / ".installed"
    if stamp.exists() and stamp.read_text() == lock:
        return
    for program in ("node", "npm"):
        if not shutil.which(program):
            raise PrismaError(f"`{program}` is missing: LiteLLM's database client needs Node.js 18 or newer with npm.")
    with step("Installing Prisma (npm, once)"):
        _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], os.environ, cwd=folder)
    stamp.write_text(lock)


def choose_engine(folder: Path, environ: Mapping[str, str]) -> Engine | None:
    """None: the user has set one up already."""
    if environ.get("PRISMA_QUERY_ENGINE_BINARY"):
        return None
    chosen = environ.get("PRISMA_ENGINE")
    memory = folder / "node_modules" / ".engine"
    if not chosen and memory.exists():
        chosen = memory.read_text()
    if not chosen:
        chosen = "native" if _download_native(folder, environ) else "fallback"
        memory.write_text(chosen)
    if chosen not in get_args(Engine):
        raise PrismaError(f"PRISMA_ENGINE is {chosen!r}: it has to be native or fallback.")
    if chosen == "fallback":
        note(FALLBACK_NOTE)
    return cast(Engine, chosen)


def _download_native(folder: Path, environ: Mapping[str, str]) -> bool:
    mirror = environ.get("PRISMA_ENGINES_MIRROR") or CDN
    try:
        httpx.get(f"{mirror}/{PROBE}", timeout=PROBE_SECONDS, follow_redirects=True).raise_for_status()
    except httpx.HTTPError:
        return False
    try:
        with step("Downloading Prisma's engines (once)"):
            # prints the engines' versions, for which it has to have them
            _run(["prisma", "version"], {**environ, **_variables(folder, "native", environ)}, timeout=DOWNLOAD_SECONDS)
    except PrismaError:
        return False
    return True


def generate(env: Mapping[str, str]) -> None:
    """Writes the Python client for LiteLLM's schema into the installed package `prisma`, unless it is there."""
    schema = _package("litellm") / "proxy" / "schema.prisma"
    client = _package("prisma")
    engine = env.get("PRISMA_QUERY_ENGINE_BINARY", "native")
    wanted = f"{hashlib.sha256(schema.read_bytes()).hexdigest()} {engine}"
    stamp = client / ".generated"
    if stamp.exists() and stamp.read_text() == wanted and (client / "client.py").exists():
        return
    if engine != "native":
        # the CLI downloads an engine whose file is not named; `generate` runs none
        env = {**env, "PRISMA_SCHEMA_ENGINE_BINARY": engine}
    with step("Generating LiteLLM's database client (once)"):
        _run(["prisma", "generate", "--schema", str(schema)], env, timeout=DOWNLOAD_SECONDS)
    stamp.write_text(wanted)


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if not spec or not spec.origin:
        raise PrismaError(f"The package {name} is missing: run `make install`.")
    return Path(spec.origin).parent


def _run(command: list[str], env: Mapping[str, str], *, cwd: Path | None = None, timeout: float | None = None) -> None:
    try:
        done = subprocess.run(
            command, env=dict(env), cwd=cwd, timeout=timeout, capture_output=True, text=True, check=False
        )
    except subprocess.TimeoutExpired:
        raise PrismaError(f"`{' '.join(command)}` took longer than {timeout:.0f} s.") from None
    except OSError as error:
        raise PrismaError(f"`{command[0]}` cannot be run ({error.strerror}): run `make install`.") from None
    if done.returncode:
        raise PrismaError(f"`{' '.join(command)}` failed; its last words:\n{last_words(done.stdout + done.stderr)}")
