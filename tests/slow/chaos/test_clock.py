"""The gateway's clock jumps by an hour, either way, while answers come: one outcome each, and exact spend in time."""

import platform
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import libfaketime
import pytest

from simulator.client import Simulator
from tests.developers import hire
from tests.harness import Server
from tests.slow.chaos.conftest import Start
from tests.slow.chaos.lanes import Lane
from tests.slow.chaos.mixes import Mix
from tests.slow.chaos.questions import one_of_each, teach
from tests.slow.chaos.trial import Trial
from tests.slow.chaos.verdicts import ANSWER

SLOWLY = Mix(({"delta_delay": 0.15},))
HOUR = 3600


class Clock:
    """Of processes under libfaketime: what it says is real time and the seconds in a file."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.put(0)

    def put(self, seconds: int) -> None:
        self._file.write_text(f"{seconds:+d}\n")

    @property
    def variables(self) -> dict[str, str]:
        [library] = Path(libfaketime.__file__).parent.rglob("libfaketime.so.1")
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # that one never jumps
            "DONT_FAKE_MONOTONIC": "1",
        }


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip("libfaketime of PyPI is made for Linux on x86-64")
    return Clock(tmp_path_factory.mktemp("clock"))


@pytest.fixture(scope="module")
def lanes() -> list[Lane]:
    return [Lane(number) for number in range(8)]


@pytest.fixture(scope="module")
def by_clock(start_lanes: Start, lanes: list[Lane], clock: Clock) -> Iterator[Server]:
    # A fork of a process that runs already would have the real clock.
    variables = {"STACKSPOT_REQUESTS_PER_MINUTE": "600", **clock.variables}
    with start_lanes(lanes, "chaos-clock", cold=True, **variables) as server:
        yield server


@pytest.mark.parametrize(("before", "after"), [(0, HOUR), (HOUR, 0), (0, -HOUR)])
def test_a_clock_that_jumps_while_answers_come(
    by_clock: Server,
    simulator: Simulator,
    lanes: list[Lane],
    clock: Clock,
    database_variables: dict[str, str],
    outcomes: Counter[str],
    before: int,
    after: int,
) -> None:
    teach(simulator)
    clock.put(before)
    for lane in lanes:
        lane.asked.clear()
        lane.developer = hire(by_clock, lane.name)
    trial = Trial(lanes, by_clock, simulator)
    threading.Timer(1.0, clock.put, [after]).start()
    trial.ask(one_of_each(0, SLOWLY), lambda _: {ANSWER})
    trial.verdict(outcomes, database_variables["DATABASE_URL"])
    assert abs(ahead(by_clock) - after) < HOUR / 2, "it has jumped"


def ahead(server: Server) -> float:
    """Seconds by which a server's clock is ahead of this process's."""
    response = httpx.get(f"{server.url}/health/liveliness", trust_env=False)
    return parsedate_to_datetime(response.headers["Date"]).timestamp() - time.time()
