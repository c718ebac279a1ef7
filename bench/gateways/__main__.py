"""`make bench`: measures, keeps the figures, and writes them into docs/benchmarks.md with two pictures."""

import argparse
import contextlib
import io
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import emulation
from bench.about import about
from bench.gateways.cells import LONG, answer
from bench.gateways.contest import Contest
from bench.gateways.load import loader
from bench.gateways.others import OTHERS
from bench.gateways.phases import QUICK, Phases, Scale
from bench.gateways.picture import draw
from bench.gateways.proxies import Proxies
from bench.gateways.results import FILE, Results
from bench.gateways.tables import page, parts
from gateway.processes import Account, running_simulator
from simulator.client import Simulator

COMMANDS = {True: "make bench QUICK=1", False: "make bench"}


def measure(scale: Scale, command: str, **which: bool) -> Results:
    """Everything, or without what `which` leaves out: others, database, workers."""
    began, account = time.monotonic(), Account.new()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        running_simulator(account, Path(folder, "simulator.log"), "--keep", "10") as upstream,
        Simulator(upstream.url) as simulator,
        loader() as first,
        loader() as second,
    ):
        simulator.rule({"pieces": answer(500)}, when=LONG)
        simulator.rule({"pieces": answer(20)}, pattern="")
        results = Results(about(command, **{gateway.name: gateway.version for gateway in OTHERS}))
        contest = Contest(first, simulator, results, scale.seconds)
        Phases(contest, scale, Proxies(account, upstream.url, Path(folder))).run(second, **which)
    results.about["minutes"] = (time.monotonic() - began) / 60
    return results


def measure_emulation(results: Results) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        speeds = emulation.parser()
        results.emulation = {
            "tools_ms": emulation.requests(),
            "parser_whole": speeds[emulation.WHOLE],
            "parser_pieces": speeds[4],
        }


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.gateways", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds; prints the tables and changes no file")
    parser.add_argument("--write", action="store_true", help="only write the page and the pictures anew, as kept")
    given = parser.parse_args(arguments)
    if given.write:
        results = Results.read()
    else:
        results = measure(QUICK if given.quick else Scale(), COMMANDS[given.quick])
        measure_emulation(results)
    if given.quick:
        print("\n\n".join(parts(results).values()))
        return
    if not given.write:
        results.write()
        results = Results.read()  # as `--write` will find them: rounded
    try:
        draw(results)
    finally:
        page(results)
    print(f"{FILE.name} and docs/benchmarks.md are written ({results.about['minutes']:.0f} minutes).")


if __name__ == "__main__":
    main(sys.argv[1:])
