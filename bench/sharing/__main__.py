"""The table of docs/sharing.md: no pacing, one process, two replicas with Redis; and what goes wrong, by --scenario."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.sharing.cost import cost
from bench.sharing.figures import rows, table
from bench.sharing.picture import draw
from bench.sharing.scenarios import SCENARIOS, Run, share
from bench.sharing.team import Pacing, Scale, place
from tests.forking import end_forkers, start_forkers

SETTINGS = {
    "off": Pacing(0),
    "on": Pacing(100),
    "replicas": Pacing(100, replicas=2, redis=True),
}
TITLES = {"off": "without pacing", "on": "one process", "replicas": "two replicas, Redis"}


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.sharing", description=__doc__)
    parser.add_argument("--only", choices=SETTINGS, action="append", help="of the table's columns; repeatable")
    parser.add_argument("--scenario", choices=[*SCENARIOS, "all"], action="append", help="instead of the table")
    parser.add_argument("--cost", action="store_true", help="only what the pacer costs a request that need not wait")
    parser.add_argument("--seconds", type=float, default=180.0, help="length of each run")
    parser.add_argument("--picture", type=Path, help="draw who got what over time into this file (PNG)")
    given = parser.parse_args(arguments)
    scale, columns, drawn = replace(Scale(), seconds=given.seconds), {}, {}
    wanted = [*SCENARIOS] if "all" in (given.scenario or ()) else given.scenario or []
    with tempfile.TemporaryDirectory() as folder:
        if given.cost:
            print(cost(Path(folder)))
            return
        with place() as here:
            for name in wanted:
                columns[name] = _told(name, SCENARIOS[name](here, scale))
            for name in () if wanted else given.only or SETTINGS:
                run = share(here, scale, SETTINGS[name])
                columns[TITLES[name]], drawn[TITLES[name]] = _told(TITLES[name], run), run
        print(table(columns), flush=True)
        if not wanted:
            print(cost(Path(folder)))
    if given.picture and drawn:
        draw({title: run.crew for title, run in drawn.items()}, given.picture)


def _told(name: str, run: Run) -> dict[str, str]:
    found = rows(run.figures, run.audit)
    print(f"{name}:", *(f"  {title}: {value}" for title, value in found.items()), sep="\n", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    start_forkers()  # here, as they would end with the thread that starts them
    try:
        main(sys.argv[1:])
    finally:
        end_forkers()
