"""A copy of the project as a newcomer has it after `git clone`, and what a test does with its Docker stack."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml
from dotenv import dotenv_values

from tests.harness import AGENTS, ROOT, Account, free_port
from tests.slow.compose.daemon import Docker

PROJECT_FILES = (
    *("docker-compose.yml", "litellm_config.yaml", "custom_handlers", "gateway", "Makefile", ".env.example"),
    "requirements-admin.lock",
)
SIMULATOR_PORT = 8999
SERVICES = ("gateway", "database", "redis")


@dataclass
class Stack:
    docker: Docker
    folder: Path
    name: str
    account: Account
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        clean = {key: value for key, value in self.docker.environ.items() if not key.startswith(("MAKE", "STACKSPOT_"))}
        return {**clean, "COMPOSE_PROJECT_NAME": self.name, "COMPOSE_PROGRESS": "quiet", "COMPOSE_ANSI": "never"}

    @property
    def settings(self) -> dict[str, str | None]:
        return dotenv_values(self.folder / ".env")

    @property
    def master_key(self) -> str:
        return str(self.settings["LITELLM_MASTER_KEY"])

    def command(self, *command: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )

    def make(self, *arguments: str) -> str:
        done = self.command("make", *arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def compose(self, *arguments: str) -> str:
        done = self.command("docker", "compose", *arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout.strip()

    def container(self, service: str) -> str:
        return self.compose("ps", "--all", "--quiet", service)

    def inspect(self, service: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = json.loads(self.docker.output("inspect", self.container(service)))
        return found[0]

    def last_line(self, *services: str) -> str:
        return self.compose("logs", "--no-log-prefix", "--tail", "5", *services).splitlines()[-1]

    def fill_in(self, settings: Mapping[str, str]) -> None:
        """Sets lines of .env as an editor would."""
        path = self.folder / ".env"
        text = path.read_text()
        for name, value in settings.items():
            text, found = re.subn(rf"^#?{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
            assert found == 1, f"{name} is not in .env.example"
        path.write_text(text)

    def wait_until_ready(self, seconds: float = 120) -> None:
        until = time.monotonic() + seconds
        while self.inspect("gateway")["State"]["Health"]["Status"] != "healthy":
            assert time.monotonic() < until, self.compose("logs", "--tail", "30", "gateway")
            time.sleep(0.5)

    @contextmanager
    def stackspot(self, pace: float = 0) -> Iterator[None]:
        """The simulator on the gateway's own loopback: the only plain-http address that the gateway accepts."""
        gateway = self.container("gateway")
        image = self.inspect("gateway")["Config"]["Image"]
        agents = [argument for agent in AGENTS.values() for argument in ("--agent", agent)]
        variables = [f"--env={name}={value}" for name, value in self.account.for_simulator().items()]
        simulator = self.docker.output(
            *("run", "--detach", "--network", f"container:{gateway}", *variables),
            *(f"--volume={ROOT / name}:/project/{name}:ro" for name in ("simulator", "custom_handlers")),
            *("--workdir", "/project"),
            *("--entrypoint", "python3", image, "-B", "-m", "simulator"),
            *("--port", str(SIMULATOR_PORT), "--pace", str(pace), *agents),
        )
        try:
            until = time.monotonic() + 30
            while "ready" not in self.docker.output("logs", simulator):
                assert time.monotonic() < until, self.docker.run("logs", simulator)
                time.sleep(0.2)
            yield
        finally:
            self.docker.run("rm", "--force", simulator)

    def beside_the_gateway(self, *words: str) -> str:
        """Runs Python with the whole project, within reach of the simulator."""
        gateway, image = self.container("gateway"), self.inspect("gateway")["Config"]["Image"]
        return self.docker.output(
            *("run", "--rm", "--network", f"container:{gateway}", "--workdir", "/project"),
            *(
                f"--volume={ROOT / name}:/project/{name}:ro"
                for name in ("simulator", "custom_handlers", "gateway", "tests")
            ),
            *("--entrypoint", "python3", image, "-B", *words),
        )

    def new_key(self, **options: object) -> str:
        answer = self.post("/key/generate", self.master_key, options)
        assert answer.status_code == 200, answer.text
        key: str = answer.json()["key"]
        return key

    def post(self, path: str, key: str, body: Mapping[str, object]) -> httpx.Response:
        return httpx.post(self.url + path, headers={"Authorization": f"Bearer {key}"}, json=body, timeout=60)

    def chat(self, key: str, text: str = "Hello") -> httpx.Response:
        return self.post(
            "/v1/chat/completions", key, {"model": "stackspot-code", "messages": [{"role": "user", "content": text}]}
        )


def images() -> dict[str, str]:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return {name: service["image"] for name, service in services.items()}


def clone(docker: Docker, folder: Path, name: str) -> Stack:
    for source in PROJECT_FILES:
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, folder / source, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, folder / source)
    return Stack(docker, folder, name, Account.new())


def with_simulator(stack: Stack) -> dict[str, str]:
    """What the operator would fill into .env."""
    address = f"http://127.0.0.1:{SIMULATOR_PORT}"
    given = stack.account.for_gateway(address)
    return {name: value for name, value in given.items() if name != "STACKSPOT_API_KEY"}


@contextmanager
def reading(stack: Stack, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A command that runs until it is told to stop, such as `make logs`."""
    process = subprocess.Popen(
        command, cwd=stack.folder, env=stack.environ, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=20)
