"""`make soak`: a team works for a long time, and nothing may be left over: no memory, no task, no wrong cent.

The stock proxy runs from a cold start with Postgres and real keys; the simulator stands in for StackSpot. Ends with
status 1 and a sentence for each mistake.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from bench.soak.audit import growth, mistakes
from bench.soak.mix import KINDS, prepare
from bench.soak.picture import draw
from bench.soak.probe_file import FILE_VARIABLE
from bench.soak.team import Soak
from bench.soak.watch import Watch
from database.local import database
from simulator.client import Simulator
from tests.developers import ask, hire
from tests.harness import ROOT, Account, running_gateway, running_simulator
from tests.slow.resilience.ledger import Ledger

DEVELOPERS = 16
MEMORY_GROWTH = 0.03
SHOWN = 20


@contextmanager
def soaked(seed: int) -> Iterator[tuple[Soak, Ledger]]:
    """A gateway with its team, ready to be asked."""
    account = Account.new()
    with tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        config = yaml.safe_load((ROOT / "litellm_config.yaml").read_text())
        config["litellm_settings"]["callbacks"].append("bench.soak.probe.tasks")
        path = folder / "litellm_config.yaml"
        path.write_text(yaml.safe_dump(config))
        with (
            running_simulator(account, folder / "simulator.log") as upstream,
            database(ROOT, {**os.environ, "DATABASE_URL": ""}, folder / "postgres") as variables,
            Simulator(upstream.url) as simulator,
        ):
            environ = {**account.for_gateway(upstream.url), **variables, "PYTHONPATH": str(ROOT)}
            environ |= {"STACKSPOT_REQUESTS_PER_MINUTE": "100000", FILE_VARIABLE: str(folder / "tasks")}
            environ["LITELLM_SALT_KEY"] = "soak-" + os.urandom(12).hex()
            with running_gateway(environ, folder / "gateway.log", config=path, cold=True) as gateway:
                developers = [hire(gateway, f"dev{number:02}") for number in range(DEVELOPERS)]
                prepare(simulator, 0)
                ask(gateway, hire(gateway, "first")).raise_for_status()
                watch = Watch(gateway, folder / "tasks")
                try:
                    yield Soak(gateway, simulator, developers, watch, seed), Ledger(folder / "postgres")
                finally:
                    watch.end()


def report(soak: Soak) -> str:
    times = {name: [one.ended - one.began for one in soak.outcomes if one.kind == name] for name in KINDS}
    lines = ["| Kind | Requests | Median (s) | p95 (s) |", "|---|---|---|---|"]
    for name, found in times.items():
        if len(found) > 1:
            p95 = statistics.quantiles(found, n=20)[-1]
            lines.append(f"| {name} | {len(found)} | {statistics.median(found):.2f} | {p95:.2f} |")
    first, last = soak.rests[0], soak.rests[-1]
    lines += ["", "| At rest | After the first leg | After the last |", "|---|---|---|"]
    for name in ("memory", "files", "threads", "tasks"):
        lines.append(f"| {name} | {getattr(first, name):.0f} | {getattr(last, name):.0f} |")
    tokens = sum(soak.received.tokens.values())
    minutes = soak.watch.samples[-1].seconds / 60
    ends = Counter("answered" if KINDS[one.kind].answered else "refused" for one in soak.outcomes)
    lines += [
        "",
        f"Seed {soak.seed}. {len(soak.outcomes)} requests in {minutes:.0f} minutes: {ends['answered']} to be answered, "
        f"{ends['refused']} to be refused; {tokens} tokens. "
        f"Memory at rest, last third to the third before: {growth(soak.rests):.3f}.",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--legs", type=int, default=20, help="the gateway rests after each, and is looked at")
    parser.add_argument("--seed", type=int, default=1, help="chooses who asks what, and how long they think")
    parser.add_argument("--picture", type=Path, help="draw memory, latency, files and tasks into this file (PNG)")
    given = parser.parse_args(arguments)
    with soaked(given.seed) as (soak, ledger):
        soak.run(given.requests, given.legs)
        found = mistakes(soak, ledger, MEMORY_GROWTH)
    print(report(soak))
    if given.picture:
        draw(soak, given.picture)
    print(*(found[:SHOWN] or ["Nothing was lost, doubled or left over; spend is what StackSpot counted."]), sep="\n")
    if len(found) > SHOWN:
        print(f"... and {len(found) - SHOWN} more")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
