"""Two gateways as replicas on one Postgres and one Redis, all of which these tests may take down."""

import os
import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from database.local import database
from simulator.client import Simulator
from tests.harness import ROOT, Account, Server
from tests.slow.resilience.ledger import Ledger
from tests.slow.resilience.redis_server import RedisServer, shipped
from tests.slow.resilience.replica import Replica


@dataclass(frozen=True)
class Team:
    """`one` and `other` are replicas: the same database, the same Redis, the same master key."""

    one: Replica
    other: Replica
    redis: RedisServer
    postgres: Path
    ledger: Ledger

    @property
    def gateways(self) -> tuple[Server, Server]:
        return self.one.server, self.other.server

    def start(self) -> None:
        """Both at once, which also lets them race for the database's migrations."""
        with ThreadPoolExecutor() as starters:
            for started in [starters.submit(replica.start) for replica in (self.one, self.other)]:
                started.result()


@pytest.fixture(scope="session")
def running_team(account: Account, simulator_server: Server, logs: Path) -> Iterator[Team]:
    if not shutil.which("redis-server"):
        pytest.skip("needs redis-server: apt-get install redis-server, or brew install redis")
    redis, data = RedisServer(logs / "redis"), logs / "resilience-postgres"
    with database(ROOT, environ={**os.environ, "DATABASE_URL": ""}, data=data) as variables:
        environ = {**account.for_gateway(simulator_server.url), **variables, **redis.variables()} | shipped()
        environ |= {"LITELLM_MASTER_KEY": f"sk-{secrets.token_urlsafe(24)}"}
        environ |= {"LITELLM_SALT_KEY": secrets.token_urlsafe(24), "STACKSPOT_RESPONSES_MINUTES": "30"}
        one, other = Replica("one", environ, logs), Replica("other", environ, logs)
        redis.start()
        try:
            team = Team(one, other, redis, data, Ledger(data))
            team.start()
            yield team
        finally:
            one.stop()
            other.stop()
            redis.kill()


@pytest.fixture
def team(running_team: Team, simulator: Simulator) -> Team:
    running_team.start()
    return running_team
