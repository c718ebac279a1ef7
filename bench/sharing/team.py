"""What runs: the simulator as StackSpot, the stock proxy with real keys, and Redis where replicas share one pace."""

import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from database.local import database
from simulator.client import Simulator
from tests.developers import Developer, ask, hire
from tests.harness import ROOT, Account, Server, running_simulator
from tests.slow.resilience.ledger import Ledger
from tests.slow.resilience.redis_server import RedisServer, shipped
from tests.slow.resilience.replica import Replica

GREEDY, MODEST = "greedy", "modest"
GREEDY_AGENTS, MODEST_DEVELOPERS = 8, 6


@dataclass(frozen=True)
class Scale:
    """How much, and how fast. The tests take a shorter one than the bench."""

    per_minute: int = 100  # what StackSpot allows the account
    window: float = 60.0  # seconds in which StackSpot counts
    seconds: float = 180.0
    answer_seconds: float = 2.0
    think_seconds: tuple[float, float] = (1.0, 2.0)  # between an answer and the agent's next request
    max_wait: int = 60
    seed: int = 1

    @property
    def limit(self) -> int:
        """Requests in StackSpot's window."""
        return round(self.per_minute * self.window / 60)


@dataclass(frozen=True)
class Pacing:
    """How the gateways pace; `per_minute` 0 is off."""

    per_minute: int
    replicas: int = 1
    redis: bool = False


@dataclass(frozen=True)
class Team:
    scale: Scale
    pacing: Pacing
    account: Account
    simulator: Simulator
    replicas: list[Replica]
    redis: RedisServer
    ledger: Ledger

    @property
    def gateways(self) -> list[Server]:
        return [replica.server for replica in self.replicas]

    def allow(self, part: float = 1.0) -> None:
        """StackSpot allows the account so much of its limit from now on."""
        limit = round(self.scale.limit * part)
        self.simulator.faults(
            rate_limit=limit, rate_window=self.scale.window, first_byte_delay=self.scale.answer_seconds
        )

    def hire(self, count: int, name: str, **limits: object) -> list[Developer]:
        with ThreadPoolExecutor(4) as makers:
            made = [makers.submit(hire, self.gateways[0], f"{name}{number}", **limits) for number in range(count)]
            return [developer.result() for developer in made]


class Place:
    """A simulator and a database, on which gateways of one setting after the other are started."""

    def __init__(self, folder: Path, account: Account, upstream: Server, variables: Mapping[str, str]) -> None:
        self._folder, self._account, self._upstream = folder, account, upstream
        self._environ = {**account.for_gateway(upstream.url), **variables}
        self._environ |= {"LITELLM_MASTER_KEY": f"sk-{secrets.token_urlsafe(24)}"}
        self._environ |= {"LITELLM_SALT_KEY": secrets.token_urlsafe(24)}
        self._teams = 0

    @contextmanager
    def team(self, pacing: Pacing, scale: Scale) -> Iterator[Team]:
        """Gateways that are ready and warm, and a StackSpot that has been asked nothing yet."""
        self._teams += 1
        folder = self._folder / f"team-{self._teams}"
        folder.mkdir()
        redis = RedisServer(folder / "redis")
        environ = self._environ | {
            "STACKSPOT_REQUESTS_PER_MINUTE": str(pacing.per_minute),
            "STACKSPOT_MAX_WAIT_SECONDS": str(scale.max_wait),
        }
        if pacing.redis:
            environ |= redis.variables() | shipped()
        replicas = [Replica(f"replica-{number}", environ, folder) for number in range(pacing.replicas)]
        with ExitStack() as stack:
            if pacing.redis:
                stack.callback(redis.kill)
                redis.start()
            for replica in replicas:
                stack.callback(replica.stop)
            with ThreadPoolExecutor() as starters:
                for started in [starters.submit(replica.start) for replica in replicas]:
                    started.result()
            simulator = stack.enter_context(Simulator(self._upstream.url))
            team = Team(scale, pacing, self._account, simulator, replicas, redis, Ledger(self._folder / "postgres"))
            simulator.reset()
            for gateway in team.gateways:  # the first request to a route builds LiteLLM's models for it
                ask(gateway, hire(gateway, "first")).raise_for_status()
            simulator.reset()
            team.allow()
            yield team


@contextmanager
def place() -> Iterator[Place]:
    """What all settings have in common, in a folder that is gone afterwards."""
    account = Account.new()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with (
            running_simulator(account, folder / "simulator.log") as upstream,
            database(ROOT, {**os.environ, "DATABASE_URL": ""}, folder / "postgres") as variables,
        ):
            yield Place(folder, account, upstream, variables)
