"""A gateway with its database, as a team runs it, and `make` as an administrator types it."""

import secrets
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from simulator.client import Simulator
from tests.gateway.administration.collector import Collector
from tests.gateway.administration.making import forked_make
from tests.gateway.administration.observing import FAULTY_CALLBACK
from tests.harness import ROOT, WITHOUT_TLS, Account, Server, clean_environment, running_gateway
from tests.sampling import all_cases

# What .env may change is set here, so that a .env beside the tests does not matter.
KEY_DEFAULTS = {"KEY_BUDGET": "50", "KEY_PERIOD": "30d", "KEY_RPM": "1000", "KEY_TPM": "none", "KEY_EXPIRES": "90d"}
Make = Callable[..., "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True)
class Developer:
    """One developer's key in use."""

    gateway: Server
    key: str

    def client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.gateway.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=60, verify=WITHOUT_TLS
        )

    def get(self, path: str) -> httpx.Response:
        with self.client() as client:
            return client.get(path)

    def post(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        with self.client() as client:
            return client.post(path, json=dict(body))

    def ask(self, text: str = "Hi", model: str = "stackspot", **more: Any) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
        return self.post("/v1/chat/completions", body)


def make_for(gateway: Server) -> Make:
    """`make` for the administrator of `gateway`; what is given by name is set in the environment besides.

    `make test-all` runs make itself, and `make test` what is behind it.
    """

    def make(*words: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        setting = {**KEY_DEFAULTS, "GATEWAY_URL": gateway.url, "LITELLM_MASTER_KEY": gateway.key, **environ}
        if not all_cases():
            return forked_make(words, clean_environment(setting))
        return subprocess.run(
            ["make", "--silent", *words],
            cwd=ROOT,
            env=clean_environment(setting),
            capture_output=True,
            text=True,
            check=False,
        )

    return make


@pytest.fixture
def make(team_gateway: Server) -> Make:
    return make_for(team_gateway)


@pytest.fixture
def developer(team_gateway: Server, make: Make) -> Callable[..., Developer]:
    """Hands out a key: `developer("dev1", "BUDGET=2")`."""

    def hand_out(name: str, *words: str) -> Developer:
        run = make("key", f"NAME={name}", *words)
        assert run.returncode == 0, run.stderr
        return Developer(team_gateway, run.stdout.strip())

    return hand_out


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture(scope="session")
def observed_server(
    account: Account,
    collector: Collector,
    simulator_server: Server,
    database_variables: dict[str, str],
    logs: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """The gateway of a team that wants to see what happens; a fault of its own can be brought about."""
    folder = tmp_path_factory.mktemp("observed")
    (folder / "faulty.py").write_text(FAULTY_CALLBACK)
    content: dict[str, Any] = yaml.safe_load((ROOT / "litellm_config.yaml").read_text())
    content["litellm_settings"]["callbacks"].append("faulty.faulty")
    config = folder / "litellm_config.yaml"
    config.write_text(yaml.safe_dump(content))
    environ = {**account.for_gateway(simulator_server.url), **database_variables}
    environ |= {"LITELLM_SALT_KEY": secrets.token_urlsafe(24), "STACKSPOT_ACCESS_LOG": "true"}
    environ |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_HEADERS": "api-key=of-the-collector"}
    environ |= {"OTEL_BSP_SCHEDULE_DELAY": "200"}  # milliseconds, not five seconds
    with running_gateway(environ, logs / "observed-gateway.log", config=config) as server:
        yield server


@pytest.fixture
def observed(observed_server: Server, simulator: Simulator) -> Server:
    return observed_server
