"""`make bench-growth`: measures, keeps the lines, and writes them into docs/benchmarks.md."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench import page
from bench.gateways.load import loader
from bench.gateways.proxies import Proxies, virtual_key
from bench.gateways.results import table
from bench.growth import inside
from bench.growth.fit import Line
from bench.growth.served import Served
from database.local import database
from database.postgres import Server as Postgres
from gateway.environment import clean_environment
from gateway.processes import Account, running_simulator
from gateway.project import ROOT
from simulator.client import Simulator

FILE = ROOT / "bench" / "results" / "growth.json"
KEYS = (10, 1000, 100_000)


def measure(keys: Sequence[int] = KEYS) -> list[Line]:
    lines, account = [inside.line(name) for name in inside.WORK], Account.new()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        running_simulator(account, Path(folder, "simulator.log"), "--keep", "10") as upstream,
        Simulator(upstream.url) as simulator,
        loader() as asking,
        database(ROOT, clean_environment({}), Path(folder, "postgres")) as variables,
    ):
        simulator.rule({"pieces": ["Go ", "end"]}, pattern="")
        proxies = Proxies(account, upstream.url, Path(folder))
        with proxies.running("growth", proxies.bundle(), environ=variables) as started:
            served = Served(started.server, simulator, asking, virtual_key(started.server))
            lines += served.lines()
            data = Path(folder, "postgres")
            lines += served.keys(keys, Postgres(data).url(), data)
    return lines


def shown(lines: Sequence[Line]) -> str:
    rows = [
        [
            each.name,
            each.cost,
            f"{each.exponent:.2f}",
            f"{each.at_the_end:.2f}",
            f"{', '.join(f'{size:,}' for size in each.sizes)} {each.unit}",
            f"{', '.join(f'{1000 * cost:.1f}' for cost in each.costs)} ms",
        ]
        for each in lines
    ]
    return table(["Size", "CPU of", "Exponent", "Between the largest two", "Sizes", "Costs"], rows)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--write", action="store_true", help="only write the page anew, as kept")
    given = parser.parse_args(arguments)
    if not given.write:
        lines = measure()
        FILE.write_text(json.dumps([asdict(each) for each in lines], indent=1) + "\n")
    kept = [Line(**each) for each in json.loads(FILE.read_text())]
    page.write({"growth": shown(kept)})
    print(shown(kept))


if __name__ == "__main__":
    main(sys.argv[1:])
