"""Gateways forked from a process that has imported LiteLLM already, which all workers of a test run share."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from gateway.environment import clean_environment
from gateway.project import ROOT

_PLACE = "TEST_FORKERS"  # the folder of their sockets: also tells the workers of pytest-xdist
# The second imports LiteLLM only if its database client has been generated since the first did.
_SOCKETS = ("first", "renewed")
_started: list[subprocess.Popen[bytes]] = []


def start_forkers() -> None:
    """They wait until a gateway is wanted. Once for a run, in the process that outlives all others."""
    if _PLACE in os.environ:
        return
    place = os.environ[_PLACE] = tempfile.mkdtemp(prefix="forkers-")
    for name in _SOCKETS:
        command = [sys.executable, "-m", "tests.proxy_forker", f"{place}/{name}", str(os.getpid())]
        environ = clean_environment({"GATEWAY_ENV_FILE": os.devnull})
        _started.append(subprocess.Popen(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL))


def end_forkers() -> None:
    """Ends those that this process has started, with all gateways of theirs."""
    for process in _started:
        process.kill()
        process.wait()
    if _started:
        shutil.rmtree(os.environ.pop(_PLACE))
        _started.clear()


def fork_gateway(arguments: list[str], environ: Mapping[str, str], log: Path, cwd: Path) -> "ForkedProcess | None":
    """A new gateway, or None if it would differ from one that was started from scratch."""
    return _fork({"arguments": arguments, "environ": dict(environ), "log": str(log), "cwd": str(cwd)})


def fork_program(program: str, environ: Mapping[str, str], log: Path, cwd: Path) -> "ForkedProcess | None":
    """The same for a text in Python. LiteLLM's proxy is imported there, which a program of its own does not do."""
    return _fork({"program": program, "arguments": [], "environ": dict(environ), "log": str(log), "cwd": str(cwd)})


def _fork(wanted: dict[str, Any]) -> "ForkedProcess | None":
    for name in _SOCKETS:
        forker = forker_at(name)
        answer = forker.ask({"start": wanted})
        if "pid" in answer:
            return ForkedProcess(answer["pid"], forker)
        if "cold" in answer:
            break
    return None


class Forker:
    """The connection to one of them; the first one to connect has it import LiteLLM."""

    def __init__(self, name: str) -> None:
        start_forkers()
        self._socket = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + 60
        while True:
            try:
                self._socket.connect(f"{os.environ[_PLACE]}/{name}")
                break
            except (FileNotFoundError, ConnectionRefusedError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)
        self._file = self._socket.makefile("rw")
        self._lock = threading.Lock()

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            print(json.dumps(question), file=self._file, flush=True)
            answer: dict[str, Any] = json.loads(self._file.readline())
        return answer


@cache
def forker_at(name: str) -> Forker:
    return Forker(name)


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
