"""Gateways that others wrote, in front of the simulator's OpenAI-shaped side: what is possible without LiteLLM.

Installed at their locked versions when a benchmark first wants them. One that cannot be had or started is named in one
line, and the others are measured without it.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from bench.gateways.installing import PLACE, install_npm, install_python
from bench.gateways.proxies import OURS
from gateway.environment import clean_environment
from gateway.failures import last_words
from gateway.processes import Account, free_port, process

READY_SECONDS = 30


class UnavailableError(Exception):
    """Why one of them is not there, in one line."""


@dataclass(frozen=True)
class Gateway:
    """How one is started: its command and its environment, with its configuration written to a folder."""

    name: str
    version: str
    install: Callable[[], None]
    start: Callable[[Path, str, int, Account], tuple[Sequence[str | Path], Mapping[str, str]]]
    headers: Callable[[str], Mapping[str, str]] = field(default=lambda _: {})


@dataclass(frozen=True)
class RunningGateway:
    gateway: Gateway
    url: str
    headers: Mapping[str, str]
    pid: int
    seconds: float


@contextmanager
def running(gateway: Gateway, folder: Path, upstream: str, account: Account) -> Iterator[RunningGateway]:
    """Raises UnavailableError."""
    try:
        gateway.install()
        port = free_port()
        command, environ = gateway.start(folder, upstream, port, account)
        log = folder / f"{gateway.name}.log"
    except (OSError, subprocess.SubprocessError, KeyError) as error:
        raise UnavailableError(
            f"{gateway.name} could not be installed: {_one_line(str(error) or type(error).__name__)}"
        ) from error
    began = time.monotonic()
    with process(command, clean_environment(environ), log, folder) as started:
        while not _listens(port):
            if started.poll() is not None or time.monotonic() > began + READY_SECONDS:
                raise UnavailableError(f"{gateway.name} did not start: {_one_line(last_words(log))}")
            time.sleep(0.02)
        headers = {"Authorization": f"Bearer {account.api_key}", **gateway.headers(upstream)}
        yield RunningGateway(gateway, f"http://127.0.0.1:{port}", headers, started.pid, time.monotonic() - began)


def _one_line(text: str) -> str:
    """The last line, which has the reason."""
    return (text.strip().splitlines() or ["it said nothing"])[-1].strip()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _rolter(folder: Path, upstream: str, port: int, account: Account) -> tuple[Sequence[str | Path], Mapping[str, str]]:
    path = folder / "rolter.toml"
    path.write_text(
        f'[server]\nhost = "127.0.0.1"\nport = {port}\n\n'
        f'[[providers]]\nname = "upstream"\nkind = "openai_compatible"\napi_base = "{upstream}"\n'
        'api_key_env = "UPSTREAM_KEY"\n\n'
        f'[[routes]]\nmodel = "{OURS}"\nstrategy = "round_robin"\n\n'
        f'[[routes.targets]]\nprovider = "upstream"\nmodel = "{OURS}"\n'
    )
    environ = {"UPSTREAM_KEY": account.api_key, "TOKIO_WORKER_THREADS": "1", "RUST_LOG": "error"}
    return [PLACE / "venv" / "bin" / "rolter", "gateway", "-c", path], environ


def _envoy(folder: Path, upstream: str, port: int, account: Account) -> tuple[Sequence[str | Path], Mapping[str, str]]:
    def address(number: int) -> dict[str, object]:
        return {"socket_address": {"address": "127.0.0.1", "port_value": number}}

    types = "type.googleapis.com/envoy.extensions.filters"
    router = {"@type": f"{types}.http.router.v3.Router"}
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream", "timeout": "0s"}}],
                }
            ]
        },
    }
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    endpoint = {"endpoint": {"address": address(urlsplit(upstream).port or 80)}}
    cluster = {
        "name": "upstream",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "upstream", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    listener = {"address": address(port), "filter_chains": [{"filters": filters}]}
    path = folder / "envoy.yaml"
    path.write_text(yaml.safe_dump({"static_resources": {"listeners": [listener], "clusters": [cluster]}}))
    program = PLACE / "venv" / "bin" / "envoy"
    return [program, "-c", path, "--concurrency", "1", "--disable-hot-restart", "-l", "error"], {}


# It listens on every address, and has no setting for that.
_LOOPBACK = """const { Server } = require("net");
const listen = Server.prototype.listen;
Server.prototype.listen = function (port, ...rest) {
  return typeof port === "number"
    ? listen.call(this, port, "127.0.0.1", ...rest.filter((each) => typeof each === "function"))
    : listen.call(this, { ...port, host: "127.0.0.1" }, ...rest);
};
"""


def _portkey(
    folder: Path, upstream: str, port: int, account: Account
) -> tuple[Sequence[str | Path], Mapping[str, str]]:
    preload = folder / "loopback.cjs"
    preload.write_text(_LOOPBACK)
    program = PLACE / "node_modules" / "@portkey-ai" / "gateway" / "build" / "start-server.js"
    command: list[str | Path] = [
        shutil.which("node") or "node",
        "--require",
        preload,
        program,
        f"--port={port}",
        "--headless",
    ]
    return command, {"PATH": os.environ["PATH"], "NODE_ENV": "production"}


OTHERS = (
    Gateway("rolter", "0.1.0", install_python, _rolter),
    Gateway("Envoy", "1.40.0", install_python, _envoy),
    Gateway(
        "Portkey",
        "1.15.2",
        install_npm,
        _portkey,
        lambda upstream: {"x-portkey-provider": "openai", "x-portkey-custom-host": f"{upstream}/v1"},
    ),
)
