"""A gateway with a database and a port for metrics, and a Prometheus that scrapes it."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness import Account, Server, free_port, running_gateway
from tests.slow.monitoring.prometheus import LACKING, Prometheus, installed, running_prometheus

PER_MINUTE = 600


@dataclass(frozen=True)
class Monitored:
    gateway: Server
    metrics_port: int
    prometheus: Prometheus


@pytest.fixture(scope="module")
def monitored(
    account: Account, simulator_server: Server, database_variables: dict[str, str], logs: Path
) -> Iterator[Monitored]:
    if not installed():
        pytest.skip(LACKING)
    port = free_port()
    environ = {**account.for_gateway(simulator_server.url), **database_variables}
    environ |= {"STACKSPOT_REQUESTS_PER_MINUTE": str(PER_MINUTE), "STACKSPOT_BURST": "1"}
    environ |= {"LITELLM_SALT_KEY": secrets.token_urlsafe(24), "PROMETHEUS_METRICS_PORT": str(port)}
    environ |= {"PROMETHEUS_MULTIPROC_DIR": str(logs / "monitored-metrics")}
    with (
        running_gateway(environ, logs / "monitored.log") as gateway,
        running_prometheus(port, logs / "prometheus") as prometheus,
    ):
        yield Monitored(gateway, port, prometheus)
