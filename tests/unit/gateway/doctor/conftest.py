"""Doctor as it is typed, in this process; and servers that behave badly."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway import cli
from gateway.doctor import configuration
from gateway.doctor.settings import WAY_OUT
from gateway.environment import belongs
from simulator.client import Simulator
from tests.harness import Account

MASTER_KEY = "sk-of-the-doctors-test"


@dataclass(frozen=True)
class Examined:
    status: int
    out: str
    checks: list[dict[str, str]]
    settings: dict[str, dict[str, str]]

    def told(self, check: str) -> tuple[str, str, str]:
        """Outcome, message and advice of the one line of this check."""
        [found] = [each for each in self.checks if each["check"] == check]
        return found["outcome"], found["message"], found["advice"]


Doctor = Callable[..., Examined]


@pytest.fixture
def doctor(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], account: Account, simulator: Simulator
) -> Doctor:
    """Runs `doctor --json` with the simulator's account and what is given; an empty value unsets."""
    machine = {"PATH", "HOME", "TMPDIR", "PWD", "LANG", "CI"}
    for name in [name for name in os.environ if name in WAY_OUT or (belongs(name) and name not in machine)]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(configuration, "subprocess", SimpleNamespace(run=run_once))
    usual = account.for_gateway(simulator.url)
    usual |= {"LITELLM_MASTER_KEY": MASTER_KEY, "GATEWAY_ENV_FILE": os.devnull, "GATEWAY_PORT": "9"}

    def run(*words: str, **environ: str) -> Examined:
        given = {**usual, **environ}
        with monkeypatch.context() as patch:
            for name, value in given.items():
                patch.setenv(name, value)
            status = cli.main(["doctor", "--json", *words])
        out = capsys.readouterr().out
        for secret in (account.client_secret, account.api_key, MASTER_KEY, "Reply with"):
            assert secret not in out
        told: dict[str, Any] = json.loads(out)
        assert status == (0 if told["ok"] else 1)
        return Examined(status, out, told["checks"], {each["name"]: each for each in told["settings"]})

    return run


_done: dict[tuple[str, ...], Any] = {}


def run_once(command: list[str], **options: Any) -> Any:
    """The check of the configuration: of one environment it says the same each time, and costs more than all else."""
    variables = {name: value for name, value in options["env"].items() if not name.startswith("PYTEST_")}
    key = (*command, Path(command[-1]).read_text(), *map(str, sorted(variables.items())))
    if key not in _done:
        _done[key] = subprocess.run(command, **options)
    return _done[key]


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on a port of its own; `answer` has each connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=_answered, args=(answer, connection), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def _answered(answer: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with connection:
        try:
            answer(connection)
        except OSError:
            return  # the client has gone


def silent(connection: socket.socket) -> None:
    while connection.recv(4096):
        pass


def saying(text: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(text)
        silent(connection)  # closing with something unread would reset the connection

    return answer
