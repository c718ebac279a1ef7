"""What the tests start: the same processes as `make demo`, with gateways that are forked where that is the same."""

import os
import secrets
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from custom_handlers.core.models import ALIASES
from gateway import environment, processes
from gateway.processes import (
    AGENTS,
    ALL_NAMES,
    Account,
    Process,
    Server,
    free_port,
    process,
    running_simulator,
    wait_until_ready,
)
from gateway.project import BIN, ROOT
from tests.forking import fork_gateway

__all__ = [
    "AGENTS",
    "ALIASES",
    "ALL_NAMES",
    "BIN",
    "ROOT",
    "WITHOUT_TLS",
    "Account",
    "Process",
    "Server",
    "clean_environment",
    "free_port",
    "process",
    "running_gateway",
    "running_simulator",
    "wait_until_ready",
]

# For clients that speak plain HTTP: reading the machine's certificates would cost each of them 20 ms of CPU.
WITHOUT_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """What a command of a test gets: nothing that configures a gateway, and no .env either, but for `extra`."""
    return environment.clean_environment({"GATEWAY_ENV_FILE": os.devnull, **extra})


@contextmanager
def running_gateway(
    environ: Mapping[str, str],
    log: Path,
    *arguments: str,
    config: Path = ROOT / "litellm_config.yaml",
    cwd: Path = ROOT,
    port: int | None = None,
    cold: bool = False,
) -> Iterator[Server]:
    """The stock proxy, ready to answer, as gateway.processes starts it.

    Unless `cold`, or where its environment asks for another import of LiteLLM, it is a fork of a process that has
    imported LiteLLM already: ready in a second or two.
    """
    port = port or free_port()
    environ = {"LITELLM_MASTER_KEY": f"sk-{secrets.token_urlsafe(24)}", **environ}
    command = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port), *arguments]
    forked = None
    # Several workers are processes that uvicorn starts by itself.
    if not cold and not arguments:
        forked = fork_gateway(command, clean_environment(environ), log, cwd)
    if forked is None:
        with processes.running_gateway(environ, log, *arguments, config=config, cwd=cwd, port=port) as server:
            yield server
        return
    try:
        server = Server(f"http://127.0.0.1:{port}", forked, log, environ["LITELLM_MASTER_KEY"])
        wait_until_ready(server)
        yield server
    finally:
        forked.terminate()
        try:
            forked.wait(20)
        except subprocess.TimeoutExpired:
            forked.kill()
            forked.wait(20)
