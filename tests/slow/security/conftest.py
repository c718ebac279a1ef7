"""Gateways with everything that writes something down: database, Redis, metrics, traces, both logs."""

import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from simulator.client import Simulator
from tests.gateway.administration.collector import Collector
from tests.harness import Account, Server, free_port, running_gateway
from tests.slow.resilience.redis_server import RedisServer, shipped

# How the log may be set; content is asked for by neither.
LEVELS = {
    "the gateway's own log in full": {"STACKSPOT_LOG_LEVEL": "DEBUG"},
    "LiteLLM's log in full": {"STACKSPOT_LOG_LEVEL": "DEBUG", "LITELLM_LOG": "DEBUG"},
}


@dataclass(frozen=True)
class Watched:
    gateway: Server
    metrics_port: int
    collector: Collector
    redis: RedisServer
    database: str
    secrets: tuple[str, ...]
    litellms_log: bool


@pytest.fixture(scope="module", params=LEVELS)
def watched_server(
    request: pytest.FixtureRequest,
    account: Account,
    simulator_server: Server,
    database_variables: dict[str, str],
    logs: Path,
) -> Iterator[Watched]:
    if not shutil.which("redis-server"):
        pytest.skip("needs redis-server: apt-get install redis-server, or brew install redis")
    level = LEVELS[request.param]
    name = f"watched-{len(level)}"
    redis, port, collector = RedisServer(logs / f"{name}-redis"), free_port(), Collector()
    own = {"LITELLM_SALT_KEY": secrets.token_urlsafe(24), "UI_PASSWORD": secrets.token_urlsafe(16)}
    environ = {**account.for_gateway(simulator_server.url), **database_variables, **redis.variables(), **shipped()}
    environ |= {**own, **level, "UI_USERNAME": "admin", "STACKSPOT_ACCESS_LOG": "true"}
    environ |= {"STACKSPOT_API_KEY": account.api_key, "STACKSPOT_RESPONSES_MINUTES": "30", "STACKSPOT_UPLOADS": "true"}
    environ |= {"PROMETHEUS_METRICS_PORT": str(port)}
    environ |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
    environ |= {"OTEL_EXPORTER_OTLP_HEADERS": f"api-key={secrets.token_urlsafe(16)}"}
    redis.start()
    try:
        with running_gateway(environ, logs / f"{name}.log") as server:
            kept = (*own.values(), account.client_secret, account.api_key, server.key, redis.password)
            kept += ("eyJhbGciOi", environ["OTEL_EXPORTER_OTLP_HEADERS"].removeprefix("api-key="))
            database = database_variables["DATABASE_URL"].partition("?")[0]
            yield Watched(server, port, collector, redis, database, kept, "LITELLM_LOG" in level)
    finally:
        redis.kill()
        collector.close()


@pytest.fixture
def watched(watched_server: Watched, simulator: Simulator) -> Watched:
    return watched_server
