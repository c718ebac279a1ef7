"""`make bench-below`: this bundle against LiteLLM with its default configuration, each with a database and a key.

What counts is the CPU that all processes of a proxy have used, its database engine included, until its spend is
written: a busy machine changes that little. What an idle proxy uses is taken away. The two take short turns.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import page
from bench.about import about
from bench.gateways.cells import TWO, Cell, answer
from bench.gateways.contest import Contestant
from bench.gateways.load import Loader, loader
from bench.gateways.phases import STOCK, US, databases
from bench.gateways.proxies import BUILT_IN, OURS, Proxies, Started, virtual_key
from bench.gateways.results import Ratio, table
from bench.processes import use
from gateway.processes import Account, running_simulator
from gateway.project import ROOT
from simulator.client import Simulator

FILE = ROOT / "bench" / "results" / "below.json"
MODEL = {US: OURS, STOCK: BUILT_IN}
WARM_UP = 300
TURNS = 12  # of each in a round
# LiteLLM's default writes spend down every 10 s, and up to 5 s later.
SETTLE_SECONDS = 17.0
START_CPU, START, MEMORY, IDLE = "start: CPU", "start to ready", "memory when ready", "idle: CPU of a minute"
UNITS = {START_CPU: "s", START: "s", MEMORY: "MB", IDLE: "s"}
AIMS = {START: 0.6} | {f"CPU of a request: {cell.name}": 0.8 for cell in TWO}


@dataclass
class Figures:
    """By what was measured and whose it is: a value for each turn."""

    about: dict[str, Any]
    values: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, what: str, name: str, value: float) -> None:
        self.values.setdefault(what, {}).setdefault(name, []).append(round(value, 3))

    def shown(self) -> str:
        rows = []
        for what, by_name in self.values.items():
            unit, aim = UNITS.get(what, "ms"), AIMS.get(what)
            turns = zip(by_name[US], by_name[STOCK], strict=True)
            ratio = Ratio.of([ours / theirs for ours, theirs in turns if theirs])
            reached = "-" if not aim or not ratio else "yes" if ratio.median <= aim else "no"
            medians = [f"{statistics.median(by_name[name]):.4g} {unit}" for name in (US, STOCK)]
            rows.append([what, str(ratio or "-"), f"≤ {aim:g}" if aim else "-", reached, *medians])
        said = f"`{self.about['command']}` on {self.about['date']}, load when it began {self.about['load']:.2f}.\n\n"
        return said + table(["What", "Ours to the stock proxy", "To reach", "Reached", US, STOCK], rows)


@dataclass(frozen=True)
class Pair:
    """The two, and where their figures go."""

    proxies: Proxies
    environs: Mapping[str, Mapping[str, str]]
    figures: Figures

    @contextmanager
    def started(self, name: str) -> Iterator[Started]:
        config = self.proxies.shipped() if name == US else self.proxies.stock()
        place = f"{name.split()[0]}-below"
        with self.proxies.running(place, config, environ=self.environs[name], stock=name == STOCK) as one:
            yield one

    def starts(self, count: int) -> None:
        for turn in range(count):
            for name in _turns(turn):
                with self.started(name) as one:
                    self.figures.add(START, name, one.seconds)
                    self.figures.add(START_CPU, name, one.cpu)
                    self.figures.add(MEMORY, name, use(one.server.process.pid).megabytes)

    def requests(self, load: Loader, rounds: int, requests: int) -> None:
        with ExitStack() as stack:
            pids, asked = {}, {}
            for name in (US, STOCK):
                server = stack.enter_context(self.started(name)).server
                headers = {"Authorization": f"Bearer {virtual_key(server)}"}
                pids[name], asked[name] = server.process.pid, Contestant(name, server.url, headers, MODEL[name])
                for cell in TWO:
                    _ask(load, asked[name], cell, WARM_UP)
            time.sleep(SETTLE_SECONDS)
            idle = {name: used / SETTLE_SECONDS for name, used in _used(pids, time.sleep, SETTLE_SECONDS).items()}
            for name, rate in idle.items():
                self.figures.add(IDLE, name, 60 * rate)
            for _ in range(rounds):
                for cell in TWO:
                    began = time.monotonic()
                    used = _used(pids, _take_turns, load, asked, cell, requests)
                    for name in asked:
                        cpu = used[name] - idle[name] * (time.monotonic() - began)
                        self.figures.add(f"CPU of a request: {cell.name}", name, 1000 * cpu / (TURNS * requests))


def _take_turns(load: Loader, asked: Mapping[str, Contestant], cell: Cell, requests: int) -> None:
    """Short turns, so that both have the same of what else the machine does; then until spend is written.

    `requests` are those of one turn.
    """
    for turn in range(TURNS):
        for name in _turns(turn):
            _ask(load, asked[name], cell, requests)
    time.sleep(SETTLE_SECONDS)


def _turns(number: int) -> tuple[str, str]:
    return (US, STOCK) if number % 2 == 0 else (STOCK, US)


def _used(pids: Mapping[str, int], work: Any, *arguments: Any) -> dict[str, float]:
    """CPU seconds of each, meanwhile."""
    before = {name: use(pid).cpu for name, pid in pids.items()}
    work(*arguments)
    return {name: use(pid).cpu - before[name] for name, pid in pids.items()}


def _ask(load: Loader, whom: Contestant, cell: Cell, requests: int) -> None:
    found = load.run(whom.job(cell, 600, requests))
    if found.mistake:
        raise SystemExit(f"{whom.name}, {cell.name}: {found.mistake}")


def measure(rounds: int, requests: int, starts: int, command: str) -> Figures:
    began, account, figures = time.monotonic(), Account.new(), Figures(about(command))
    with (
        tempfile.TemporaryDirectory(prefix="bench-below-") as folder,
        running_simulator(account, Path(folder, "simulator.log"), "--keep", "10") as upstream,
        Simulator(upstream.url) as simulator,
        databases(Path(folder, "postgres")) as environs,
        loader() as load,
    ):
        simulator.rule({"pieces": answer(20)}, pattern="")
        pair = Pair(Proxies(account, upstream.url, Path(folder)), environs, figures)
        for name in (US, STOCK):  # the first start of each makes its tables
            with pair.started(name):
                pass
        pair.starts(starts)
        pair.requests(load, rounds, requests)
    figures.about["minutes"] = (time.monotonic() - began) / 60
    return figures


def read() -> Figures:
    return Figures(**json.loads(FILE.read_text()))


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.below", description=f"{__doc__}\nWith other numbers the figures are printed alone."
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=50, help=f"of one turn; a round has {TURNS} of each")
    parser.add_argument("--starts", type=int, default=3, help="of each, in turns")
    parser.add_argument(
        "--write", action="store_true", help="only write the page anew, as kept; with other options nothing is written"
    )
    given = parser.parse_args(arguments)
    if given.write:
        figures = read()
    else:
        command = " ".join(("python -m bench.below", *arguments)) if arguments else "make bench-below"
        figures = measure(given.rounds, given.requests, given.starts, command)
    print(figures.shown())
    if arguments and not given.write:
        return  # of another size: not what the page tells
    FILE.write_text(json.dumps({"about": figures.about, "values": figures.values}, indent=1) + "\n")
    page.write({"below": figures.shown()})


if __name__ == "__main__":
    main(sys.argv[1:])
