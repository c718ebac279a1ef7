"""What the tests start: the same processes as `make demo`, with gateways that are forked where that is the same."""

import atexit
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

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

__all__ = [
    "AGENTS",
    "ALIASES",
    "ALL_NAMES",
    "BIN",
    "ROOT",
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
        forked = forker().start(command, clean_environment(environ), log, cwd)
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


class Forker:
    """The process that forks gateways (tests/proxy_forker.py)."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.proxy_forker"],
            cwd=ROOT, env=clean_environment({}), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._lock = threading.Lock()
        atexit.register(self._process.kill)

    def start(
        self, arguments: list[str], environ: Mapping[str, str], log: Path, cwd: Path, *, renewed: bool = False
    ) -> "ForkedProcess | None":
        """A new gateway, or None if it would differ from one that was started from scratch."""
        wanted = {"arguments": arguments, "environ": dict(environ), "log": str(log), "cwd": str(cwd)}
        answer = self.ask({"start": wanted})
        if "stale" in answer and not renewed:
            forker.cache_clear()
            return forker().start(arguments, environ, log, cwd, renewed=True)
        return ForkedProcess(answer["pid"], self) if "pid" in answer else None

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        with self._lock:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@cache
def forker() -> Forker:
    return Forker()


class ForkedProcess:
    """What subprocess.Popen offers, for a process that the forker is the parent of."""

    def __init__(self, pid: int, parent: Forker) -> None:
        self.pid = pid
        self._parent = parent
        self._status: int | None = None

    def poll(self) -> int | None:
        if self._status is None:
            self._status = self._parent.ask({"poll": self.pid})["status"]
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        end = time.monotonic() + timeout if timeout is not None else None
        while (status := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired("litellm", timeout or 0)
            time.sleep(0.02)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
