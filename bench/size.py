"""What a gateway needs: memory and CPU of a worker, connections to Postgres and Redis.

    .venv/bin/python -m bench.size

The stock proxy runs from a cold start with real keys, Postgres and Redis; the simulator stands in for StackSpot. CPU is
what the processes have used, so a busy machine changes it little. Memory is PSS: what processes share is divided.
"""

import os
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
import redis

from database.local import database
from database.postgres import Server as Postgres
from simulator.client import Simulator
from tests.developers import Developer, ask, hire
from tests.harness import ROOT, Account, Server, clean_environment, running_gateway, running_simulator
from tests.slow.resilience.redis_server import RedisServer, shipped
from tests.slow.resilience.streams import listen

CALLS = 300
AT_ONCE = 16
OPEN_STREAMS = 100
MEGABYTE = 1024 * 1024
BACKENDS = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'litellm' AND pid <> pg_backend_pid()"


@dataclass(frozen=True)
class Place:
    environ: Mapping[str, str]
    simulator: Simulator
    postgres: Path
    redis: RedisServer
    logs: Path


@dataclass(frozen=True)
class Use:
    """What the processes of a gateway have and had: LiteLLM's own, and those of its database engine."""

    memory: float
    engines_memory: float
    cpu: float
    engines_cpu: float


def use(gateway: Server) -> Use:
    root = psutil.Process(gateway.process.pid)
    python: list[psutil.Process] = []
    engines: list[psutil.Process] = []
    for each in [root, *root.children(recursive=True)]:
        (python if "python" in each.name() or "litellm" in each.name() else engines).append(each)

    def memory(processes: list[psutil.Process]) -> float:
        return float(sum(each.memory_full_info().pss for each in processes)) / MEGABYTE

    def cpu(processes: list[psutil.Process]) -> float:
        return sum(sum(each.cpu_times()[:2]) for each in processes)

    return Use(memory(python), memory(engines), cpu(python), cpu(engines))


class Connections:
    """The most that were open at once while it ran."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._stop = threading.Event()
        self.postgres = self.redis = 0
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        server = self._place.redis
        with (
            psycopg.connect(Postgres(self._place.postgres).url(), autocommit=True) as connection,
            redis.Redis(port=server.port, password=server.password) as client,
        ):
            while not self._stop.wait(0.1):
                row = connection.execute(BACKENDS).fetchone()
                self.postgres = max(self.postgres, row[0] if row else 0)
                self.redis = max(self.redis, int(client.info("clients")["connected_clients"]) - 1)

    def end(self) -> None:
        self._stop.set()
        self._thread.join()


@contextmanager
def place() -> Iterator[Place]:
    account = Account.new()
    with tempfile.TemporaryDirectory(prefix="bench-size-") as name:
        folder = Path(name)
        server = RedisServer(folder / "redis")
        with (
            database(ROOT, clean_environment({}), folder / "postgres") as variables,
            running_simulator(account, folder / "simulator.log") as running,
            Simulator(running.url) as simulator,
        ):
            server.start()
            environ = {**account.for_gateway(running.url), **variables, **server.variables(), **shipped()}
            environ |= {
                "LITELLM_SALT_KEY": secrets.token_urlsafe(24),
                "LITELLM_MASTER_KEY": "sk-" + secrets.token_hex(8),
            }
            try:
                yield Place(environ, simulator, folder / "postgres", server, folder)
            finally:
                server.kill()


def work(gateway: Server, developers: list[Developer], *, stream: bool) -> None:
    def one(number: int) -> None:
        developer = developers[number % len(developers)]
        if stream:
            found = listen(gateway, developer)
            assert found.whole, found
        else:
            assert ask(gateway, developer).status_code == 200

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, range(CALLS)))


def measure(here: Place, workers: int) -> None:
    arguments = ("--num_workers", str(workers), "--timeout_worker_healthcheck", "60")
    log = here.logs / f"gateway-{workers}.log"
    with running_gateway(here.environ, log, *arguments, cold=True) as gateway:
        developers = [hire(gateway) for _ in range(AT_ONCE)]
        start = use(gateway)
        print(f"\n{workers} worker(s): {start.memory:.0f} MB, database engine {start.engines_memory:.0f} MB")
        for stream in (False, True):
            before, watched, began = use(gateway), Connections(here), time.monotonic()
            work(gateway, developers, stream=stream)
            seconds = time.monotonic() - began
            watched.end()
            after = use(gateway)
            ours = 1000 * (after.cpu - before.cpu) / CALLS
            engines = 1000 * (after.engines_cpu - before.engines_cpu) / CALLS
            print(
                f"  {'streamed' if stream else 'plain'}: {ours:.0f} ms of CPU a call, engine {engines:.0f} ms; "
                f"{CALLS / seconds:.1f} a second; {after.memory:.0f} MB; "
                f"connections to Postgres {watched.postgres}, Redis {watched.redis}"
            )
        here.simulator.faults(delta_delay=1.0)
        before = use(gateway)
        with ThreadPoolExecutor(OPEN_STREAMS) as pool:
            waiting = [pool.submit(listen, gateway, developers[n % AT_ONCE]) for n in range(OPEN_STREAMS)]
            while here.simulator.state()["open_streams"] < OPEN_STREAMS and not any(each.done() for each in waiting):
                time.sleep(0.2)
            during = use(gateway)
            assert all(each.result().whole for each in waiting)
        here.simulator.reset()
        print(f"  {OPEN_STREAMS} open streams: {during.memory - before.memory:+.0f} MB")
    client = redis.Redis(port=here.redis.port, password=here.redis.password)
    print(f"  Redis holds {client.info('memory')['used_memory'] / MEGABYTE:.1f} MB")


def main() -> None:
    os.environ["GATEWAY_ENV_FILE"] = os.devnull
    with place() as here:
        for workers in (1, 2):
            measure(here, workers)


if __name__ == "__main__":
    main()
