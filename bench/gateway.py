"""`make bench`: this handler against LiteLLM's built-in `openai/` provider, in one proxy, over the same simulator text.

The two take turns in short rounds, so that what slows the machine slows both; only their ratios mean anything. The
built-in provider reads the simulator's OpenAI-shaped API, the handler its Agents API.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import yaml

from custom_handlers.core.models import MODELS
from gateway.processes import Account, Server, running_gateway, running_simulator
from gateway.project import ROOT
from simulator.client import Simulator

OURS, BUILT_IN = MODELS[0], "built-in"
CLIENTS = (1, 16, 64)
ANSWER = {"pieces": ["The", *(f" word{number}" for number in range(19))]}


@dataclass
class Round:
    """Answers of one round: how many a second, and the seconds to each one's first byte."""

    rate: float
    first_bytes: list[float] = field(default_factory=list)


async def one_round(server: Server, model: str, clients: int, *, stream: bool, seconds: float) -> Round:
    body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "Twenty words, please."}]}
    first_bytes: list[float] = []
    async with aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {server.key}"}, connector=aiohttp.TCPConnector(limit=clients)
    ) as session:

        async def ask() -> None:
            started = time.perf_counter()
            async with session.post(f"{server.url}/v1/chat/completions", json=body) as response:
                piece = await response.content.readany()
                first_bytes.append(time.perf_counter() - started)
                rest = await response.read()
                if response.status != 200 or (stream and b"[DONE]" not in piece + rest):
                    raise SystemExit(f"{model} answered {response.status}: {(piece + rest)[:300]!r}")

        async def client(until: float) -> None:
            while time.perf_counter() < until:
                await ask()

        started = time.perf_counter()
        await asyncio.gather(*(client(started + seconds) for _ in range(clients)))
        return Round(len(first_bytes) / (time.perf_counter() - started), first_bytes)


def compare(server: Server, rounds: int, seconds: float) -> None:
    print("            calls a second             median seconds to the first byte")
    print("clients     ours  built-in  ratio      ours  built-in  ratio")
    for stream in (False, True):
        for clients in CLIENTS:
            found: dict[str, list[Round]] = {OURS: [], BUILT_IN: []}
            for number in range(rounds):
                for model in (OURS, BUILT_IN) if number % 2 == 0 else (BUILT_IN, OURS):
                    found[model].append(asyncio.run(one_round(server, model, clients, stream=stream, seconds=seconds)))
            columns = "".join(_columns(found, figure) for figure in (_rate, _first_byte))
            print(f"{clients:>3} {'stream' if stream else 'plain'}{columns}", flush=True)


def _rate(one: Round) -> float:
    return one.rate


def _first_byte(one: Round) -> float:
    return statistics.median(one.first_bytes)


def _columns(found: dict[str, list[Round]], figure: Callable[[Round], float]) -> str:
    """The medians of both, and the median over the pairs of rounds of ours to built-in."""
    ours, built_in = ([figure(one) for one in found[model]] for model in (OURS, BUILT_IN))
    ratio = statistics.median(a / b for a, b in zip(ours, built_in, strict=True))
    return f"{statistics.median(ours):>10.3f}{statistics.median(built_in):>10.3f}{ratio:>7.2f}"


async def memory(server: Server, calls: int) -> None:
    """The proxy's resident memory along `calls` calls of this handler, half of them streamed."""
    print(f"memory over {calls} calls (MB):", end="", flush=True)
    done = 0
    while done < calls:
        for stream in (False, True):
            started = await one_round(server, OURS, 16, stream=stream, seconds=5)
            done += len(started.first_bytes)
        print(f" {done}:{resident_megabytes(server.process.pid)}", end="", flush=True)
    print()


def resident_megabytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    return 0


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.gateway", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of one round")
    parser.add_argument("--calls", type=int, default=5000, help="calls over which memory is watched; 0: not at all")
    given = parser.parse_args(arguments)
    account = Account.new()
    with tempfile.TemporaryDirectory() as folder, running_simulator(account, Path(folder, "simulator.log")) as upstream:
        config = yaml.safe_load((ROOT / "litellm_config.yaml").read_text())
        built_in = {"model": f"openai/{OURS}", "api_base": f"{upstream.url}/v1", "api_key": account.api_key}
        config["model_list"].append({"model_name": BUILT_IN, "litellm_params": built_in})
        path = Path(folder, "litellm_config.yaml")
        path.write_text(yaml.safe_dump(config))
        environ = {**account.for_gateway(upstream.url), "PYTHONPATH": str(ROOT)}
        with (
            Simulator(upstream.url) as simulator,
            running_gateway(environ, Path(folder, "gateway.log"), config=path) as server,
        ):
            simulator.rule(ANSWER, pattern="")
            for model in (OURS, BUILT_IN):
                asyncio.run(one_round(server, model, 4, stream=True, seconds=2))
            compare(server, given.rounds, given.seconds)
            if given.calls:
                asyncio.run(memory(server, given.calls))


if __name__ == "__main__":
    main(sys.argv[1:])
