"""`make bench-below`: this bundle against LiteLLM with its default configuration, on the same Postgres.

The stock proxy asks the simulator's OpenAI-shaped API by its built-in `openai/` provider, the bundle asks the Agents
API. Both have a virtual key. What counts is the CPU that all processes of a gateway have used, its database engine
included: a busy machine changes it little. They take turns in pairs.
"""

import argparse
import asyncio
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import httpx
import psutil
import psycopg
import yaml

from custom_handlers.core.models import MODELS
from database.local import database
from gateway.environment import clean_environment
from gateway.processes import Account, Server, running_gateway, running_simulator
from gateway.project import ROOT
from simulator.client import Simulator

MODEL = MODELS[0]
PRICES = {"input_cost_per_token": 0.000001, "output_cost_per_token": 0.000001}
ANSWER = {"pieces": ["The", *(f" word{number}" for number in range(19))]}
ANSWERS = {"plain": False, "streamed": True}
WARM_UP = 60
SETTLE_SECONDS = 3.0  # what was spent is written down every two seconds


@dataclass(frozen=True)
class Kind:
    """A gateway to measure: how it is started, but for its port."""

    name: str
    config: Path
    environ: Mapping[str, str]
    stock: bool


@dataclass(frozen=True)
class Start:
    cpu: float
    seconds: float


FIGURES: dict[str, Callable[[Start], float]] = {"CPU": lambda start: start.cpu, "clock": lambda start: start.seconds}


@dataclass(frozen=True)
class Gateway:
    server: Server
    key: str
    start: Start

    def cpu(self) -> float:
        return used(self.server.process.pid)


def used(pid: int) -> float:
    """Seconds of CPU of a process and of all below it, those that have ended included."""
    root, seconds = psutil.Process(pid), 0.0
    for each in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            seconds += sum(each.cpu_times()[:4])
    return seconds


@contextmanager
def started(kind: Kind, log: Path) -> Iterator[Gateway]:
    began = time.monotonic()
    with running_gateway(kind.environ, log, config=kind.config, stock=kind.stock) as server:
        seconds = time.monotonic() - began
        start = Start(used(server.process.pid), seconds)
        yield Gateway(server, _new_key(server), start)


def _new_key(server: Server) -> str:
    made = httpx.post(
        f"{server.url}/key/generate",
        headers={"Authorization": f"Bearer {server.key}"},
        json={"key_alias": f"bench-{secrets.token_hex(4)}"},
        timeout=60,
        trust_env=False,
    )
    made.raise_for_status()
    return str(made.json()["key"])


async def ask(gateway: Gateway, requests: int, clients: int, *, stream: bool) -> None:
    """So many answers, each of them whole."""
    body = {"model": MODEL, "stream": stream, "messages": [{"role": "user", "content": "Twenty words, please."}]}
    left = iter(range(requests))
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {gateway.key}"}) as session:

        async def client() -> None:
            for _ in left:
                async with session.post(f"{gateway.server.url}/v1/chat/completions", json=body) as response:
                    answer = await response.read()
                    if response.status != 200 or (stream and b"[DONE]" not in answer):
                        raise SystemExit(f"The gateway answered {response.status}: {answer[:300]!r}")

        await asyncio.gather(*(client() for _ in range(clients)))


def per_request(gateway: Gateway, requests: int, clients: int, *, stream: bool) -> float:
    """Milliseconds of CPU for each request, with what is written down after it."""
    before = gateway.cpu()
    asyncio.run(ask(gateway, requests, clients, stream=stream))
    time.sleep(SETTLE_SECONDS)
    return 1000 * (gateway.cpu() - before) / requests


@contextmanager
def place(folder: Path) -> Iterator[tuple[dict[str, str], str, Account]]:
    """The variables of a database, the simulator's address, and an account there."""
    account = Account.new()
    with (
        database(ROOT, clean_environment({}), folder / "postgres") as variables,
        running_simulator(account, folder / "simulator.log") as upstream,
        Simulator(upstream.url) as simulator,
    ):
        simulator.rule(ANSWER, pattern="")
        yield variables, upstream.url, account


def own_database(variables: Mapping[str, str], name: str) -> dict[str, str]:
    """The same server with a database of its own."""
    address = variables["DATABASE_URL"]
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    base, question, options = address.partition("?")
    return {**variables, "DATABASE_URL": f"{base.rsplit('/', 1)[0]}/{name}{question}{options}"}


def stock(folder: Path, upstream: str, account: Account, variables: Mapping[str, str]) -> Kind:
    deployment = {"model": f"openai/{MODEL}", "api_base": f"{upstream}/v1", "api_key": account.api_key}
    config = {
        "model_list": [{"model_name": MODEL, "litellm_params": deployment, "model_info": PRICES}],
        "general_settings": {"master_key": "os.environ/LITELLM_MASTER_KEY"},
    }
    path = folder / "stock.yaml"
    path.write_text(yaml.safe_dump(config))
    environ = {**own_database(variables, "stock"), "LITELLM_SALT_KEY": secrets.token_hex(8)}
    return Kind("stock", path, environ, stock=True)


def bundle(upstream: str, account: Account, variables: Mapping[str, str]) -> Kind:
    environ = {**account.for_gateway(upstream), **own_database(variables, "bundle")}
    environ["LITELLM_SALT_KEY"] = secrets.token_hex(8)
    return Kind("bundle", ROOT / "litellm_config.yaml", environ, stock=False)


def compare_starts(kinds: Sequence[Kind], folder: Path, pairs: int) -> None:
    """The processes' CPU until the gateway is ready, and seconds by the clock."""
    found: dict[str, list[Start]] = {kind.name: [] for kind in kinds}
    for number in range(pairs):
        for kind in kinds if number % 2 == 0 else reversed(kinds):
            with started(kind, folder / f"{kind.name}-start.log") as gateway:
                found[kind.name].append(gateway.start)
    for figure, read in FIGURES.items():
        _tell(f"start, {figure}", {name: [read(one) for one in starts] for name, starts in found.items()}, "s")


def compare_requests(kinds: Sequence[Kind], folder: Path, given: argparse.Namespace) -> None:
    with ExitStack() as stack:
        gateways = {kind.name: stack.enter_context(started(kind, folder / f"{kind.name}.log")) for kind in kinds}
        for gateway in gateways.values():
            for stream in ANSWERS.values():
                asyncio.run(ask(gateway, WARM_UP, given.clients, stream=stream))
        for word, stream in ANSWERS.items():
            found: dict[str, list[float]] = {name: [] for name in gateways}
            for number in range(given.rounds):
                for name in list(gateways) if number % 2 == 0 else reversed(list(gateways)):
                    found[name].append(per_request(gateways[name], given.requests, given.clients, stream=stream))
            _tell(f"CPU of a request, {word}", found, "ms")


def _tell(what: str, found: Mapping[str, Sequence[float]], unit: str) -> None:
    """The medians, and of the pairs' ratios the median, the least and the greatest."""
    stock, bundle = found.values()
    ratios = [ours / theirs for theirs, ours in zip(stock, bundle, strict=True)]
    median, least, most = statistics.median(ratios), min(ratios), max(ratios)
    print(
        f"{what:<28}{statistics.median(stock):>9.2f}{statistics.median(bundle):>9.2f} {unit:<3}"
        f"{median:>7.2f}  ({least:.2f} to {most:.2f})",
        flush=True,
    )


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.below", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=200, help="of one round")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--starts", type=int, default=3, help="of each, in pairs")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-below-") as name:
        folder = Path(name)
        with place(folder) as (variables, upstream, account):
            print(f"{'':<28}{'stock':>9}{'bundle':>9}    {'ratio':>7}")
            kinds = [stock(folder, upstream, account, variables), bundle(upstream, account, variables)]
            compare_requests(kinds, folder, given)  # the first start of each makes its tables, and is not counted
            compare_starts(kinds, folder, given.starts)


if __name__ == "__main__":
    main(sys.argv[1:])
