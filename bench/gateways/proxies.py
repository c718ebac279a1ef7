"""LiteLLM's proxies of the comparison: this project's bundle, and one as it is installed.

In the bundle the handler, the built-in provider and the mock are three models of one proxy: what differs is the
provider alone. The stock proxy has LiteLLM's defaults and the built-in provider.
"""

import http.client
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import yaml

from bench.gateways.cells import answer
from bench.processes import use
from custom_handlers.core.models import MODELS
from gateway.environment import clean_environment
from gateway.failures import StartError, last_words
from gateway.processes import Account, Server, free_port, process
from gateway.project import BIN, PROXY, ROOT

OURS, BUILT_IN, MOCK = MODELS[0], "built-in", "mock"
START_SECONDS = 240
TWO_WORKERS = ("--num_workers", "2", "--timeout_worker_healthcheck", "60")


@dataclass(frozen=True)
class Started:
    """A server that is ready, and what that took."""

    server: Server
    seconds: float
    cpu: float


@dataclass(frozen=True)
class Proxies:
    """How to start them, over one upstream."""

    account: Account
    upstream: str
    folder: Path

    def shipped(self) -> dict[str, Any]:
        config: dict[str, Any] = yaml.safe_load((ROOT / "litellm_config.yaml").read_text())
        return config

    def bundle(self) -> dict[str, Any]:
        """What is shipped, with the built-in provider and the mock as further models."""
        config = self.shipped()
        # The same prices and limits, so that LiteLLM's bookkeeping is the same.
        info = {
            name: value
            for name, value in config["model_list"][0]["model_info"].items()
            if not name.startswith("stackspot_") and name != "access_groups"
        }
        config["model_list"] += [self._built_in(info), *(_mock(deltas, info) for deltas in (20, 500))]
        return config

    def stock(self) -> dict[str, Any]:
        info = {"mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}
        return {
            "model_list": [self._built_in(info)],
            "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
        }

    def _built_in(self, info: Mapping[str, Any]) -> dict[str, Any]:
        parameters = {"model": f"openai/{OURS}", "api_base": f"{self.upstream}/v1", "api_key": self.account.api_key}
        return {"model_name": BUILT_IN, "litellm_params": parameters, "model_info": dict(info)}

    @contextmanager
    def running(
        self,
        name: str,
        config: Mapping[str, Any],
        *arguments: str,
        environ: Mapping[str, str] | None = None,
        stock: bool = False,
    ) -> Iterator[Started]:
        """A proxy from a cold start, with exactly `environ` besides the account: ours by its command, or LiteLLM's."""
        path, log, port = self.folder / f"{name}.yaml", self.folder / f"{name}.log", free_port()
        path.write_text(yaml.safe_dump(dict(config)))
        key = f"sk-{secrets.token_urlsafe(24)}"
        variables = {**self.account.for_gateway(self.upstream), "PYTHONPATH": str(ROOT), "LITELLM_MASTER_KEY": key}
        command: list[str | Path] = [
            *((BIN / "litellm",) if stock else PROXY),
            "--config",
            path,
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            *arguments,
        ]
        began = time.monotonic()
        with process(command, clean_environment({**variables, **(environ or {})}), log) as running:
            server = Server(f"http://127.0.0.1:{port}", running, log, key)
            _wait(server)
            yield Started(server, time.monotonic() - began, use(running.pid).cpu)


def _mock(deltas: int, info: Mapping[str, Any]) -> dict[str, Any]:
    parameters = {"model": f"openai/{MOCK}", "api_key": "none", "mock_response": "".join(answer(deltas))}
    return {"model_name": f"{MOCK}-{deltas}", "litellm_params": parameters, "model_info": dict(info)}


def _wait(server: Server) -> None:
    """Until the proxy says that it is ready, asked twenty times a second."""
    address, end = urlsplit(server.url), time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", address.port or 0, timeout=5)
        try:
            connection.request("GET", "/health/readiness")
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    raise StartError(f"A proxy of the benchmark did not become ready; the end of its log:\n{last_words(server.log)}")


def virtual_key(server: Server) -> str:
    """A key as a developer has it; it may use every model."""
    headers = {"Authorization": f"Bearer {server.key}"}
    made = httpx.post(f"{server.url}/key/generate", headers=headers, json={}, timeout=60, trust_env=False)
    made.raise_for_status()
    return str(made.json()["key"])
