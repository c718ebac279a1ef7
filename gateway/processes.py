"""Starts simulator and gateway as processes on loopback, for the demo, the benches and the tests."""

import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx

from custom_handlers.core.models import AGENT_VARIABLES, ALIASES, MODELS
from gateway.environment import clean_environment
from gateway.failures import StartError, last_words
from gateway.project import BIN, PROXY, ROOT

_AGENT_IDS = ("01J0000000000000000000CHAT", "01J0000000000000000000C0DE", "01J00000000000000000ASS1ST")
AGENTS = dict(zip(MODELS, _AGENT_IDS, strict=True))
ALL_NAMES = (*AGENTS, *ALIASES)


@dataclass(frozen=True)
class Account:
    """A StackSpot account made up for one run."""

    realm: str
    client_id: str
    client_secret: str
    api_key: str

    @classmethod
    def new(cls) -> "Account":
        return cls(
            "acme", f"client-{secrets.token_hex(4)}", secrets.token_urlsafe(24), f"sk-{secrets.token_urlsafe(24)}"
        )

    def for_simulator(self) -> dict[str, str]:
        return {
            "SIMULATOR_REALM": self.realm,
            "SIMULATOR_CLIENT_ID": self.client_id,
            "SIMULATOR_CLIENT_SECRET": self.client_secret,
            "SIMULATOR_API_KEY": self.api_key,
        }

    def for_gateway(self, simulator: str) -> dict[str, str]:
        return {
            "STACKSPOT_REALM": self.realm,
            "STACKSPOT_CLIENT_ID": self.client_id,
            "STACKSPOT_CLIENT_SECRET": self.client_secret,
            **{variable: AGENTS[model] for model, variable in AGENT_VARIABLES.items()},
            "STACKSPOT_API_KEY": self.api_key,
            "STACKSPOT_IDM_URL": simulator,
            "STACKSPOT_INFERENCE_URL": simulator,
            "STACKSPOT_UPLOAD_URL": simulator,
            "STACKSPOT_API_BASE": f"{simulator}/v1",
            "STACKSPOT_REQUESTS_PER_MINUTE": "0",  # the simulator has no limit unless it is told
        }


class Process(Protocol):
    """What is used of subprocess.Popen."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, number: int, /) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


@dataclass(frozen=True)
class Server:
    """A running server: its address, its process and the file with all that it printed."""

    url: str
    process: Process
    log: Path
    key: str = ""  # the master key
    ui_password: str = ""

    def output(self) -> str:
        return self.log.read_text(errors="replace")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(
    command: Sequence[str | Path], environ: Mapping[str, str], log: Path, cwd: Path = ROOT
) -> Iterator["subprocess.Popen[bytes]"]:
    """Runs `command` with exactly `environ`, its output in `log`; ends it, and nothing else, at the end."""
    with log.open("wb") as output:
        running = subprocess.Popen(
            [str(word) for word in command], env=dict(environ), cwd=cwd, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait(20)


@contextmanager
def running_simulator(account: Account, log: Path, *arguments: str) -> Iterator[Server]:
    agents = [word for agent_id in AGENTS.values() for word in ("--agent", agent_id)]
    command = [sys.executable, "-m", "simulator", "--port", "0", *agents, *arguments]
    with process(command, clean_environment(account.for_simulator()), log) as running:
        for _ in range(300):
            for line in log.read_text(errors="replace").splitlines():
                if line.startswith("simulator ready on "):
                    yield Server(line.removeprefix("simulator ready on ").strip(), running, log)
                    return
            if running.poll() is not None:
                break
            time.sleep(0.1)
        raise StartError(f"The simulator did not start ({_state(running)}):\n{last_words(log)}")


@contextmanager
def running_gateway(
    environ: Mapping[str, str],
    log: Path,
    *arguments: str,
    config: Path = ROOT / "litellm_config.yaml",
    cwd: Path = ROOT,
    port: int | None = None,
    stock: bool = False,
) -> Iterator[Server]:
    """The proxy with `config`, ready to answer; `LITELLM_MASTER_KEY` is made up if absent.

    By LiteLLM's own command if `stock`, and in another folder than this, from where ours cannot be imported.
    """
    port = port or free_port()
    environ = {"LITELLM_MASTER_KEY": f"sk-{secrets.token_urlsafe(24)}", **environ}
    program = PROXY if cwd == ROOT and not stock else (str(BIN / "litellm"),)
    command: list[str | Path] = [
        *program,
        "--config",
        config,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        *arguments,
    ]
    with process(command, clean_environment(environ), log, cwd) as running:
        server = Server(f"http://127.0.0.1:{port}", running, log, environ["LITELLM_MASTER_KEY"])
        wait_until_ready(server)
        yield server


def wait_until_ready(server: Server, seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.process.poll() is None:
        try:
            if httpx.get(f"{server.url}/health/readiness", timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.3)
    raise StartError(
        f"The gateway did not become ready ({_state(server.process)}); "
        f"the end of {server.log}:\n{last_words(server.log)}"
    )


def _state(process: Process) -> str:
    status = process.poll()
    return "it took too long" if status is None else f"it ended with status {status}"
