"""Every switch of the simulator, alone and in random mixes: one outcome for each question, and exact spend."""

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from simulator.client import Simulator
from tests.harness import Server
from tests.slow.chaos.conftest import Start
from tests.slow.chaos.lanes import LANES, Lane
from tests.slow.chaos.mixes import SINGLES, all_switches, alone, random_mix, switches_used
from tests.slow.chaos.questions import Question, drawn, one_of_each, teach
from tests.slow.chaos.seeding import dice, minutes
from tests.slow.chaos.trial import Trial
from tests.slow.chaos.verdicts import allowed

RANDOM = 240  # questions of the short run
ROUND = 640  # of one round of a long one


def test_no_switch_is_left_out() -> None:
    assert switches_used() == all_switches()


def short_run() -> list[Question]:
    """Each switch on one way of asking, all of them over the switches; then random mixes."""
    mixing = dice("mixes")
    found = [one_of_each(at * 8, alone(at))[(at + mixing.randint(0, 7)) % 8] for at in range(len(SINGLES))]
    return found + [drawn(len(SINGLES) * 8 + at, random_mix(mixing), mixing) for at in range(RANDOM)]


def rounds() -> Iterator[list[Question]]:
    """The short run; for a long one all switches on all ways, and mixes for as long as there is time."""
    yield short_run()
    if (length := minutes()) is None:
        return
    end = time.monotonic() + length * 60
    yield [question for at in range(len(SINGLES)) for question in one_of_each(at * 8, alone(at))]
    number = 0
    while time.monotonic() < end:
        number += 1
        mixing = dice("round", number)
        yield [drawn(number * ROUND + at, random_mix(mixing), mixing) for at in range(ROUND)]


@pytest.fixture(scope="module")
def lanes() -> list[Lane]:
    return [Lane(number) for number in range(LANES)]


@pytest.fixture(scope="module")
def gateway_of_lanes(start_lanes: Start, lanes: list[Lane]) -> Iterator[Server]:
    with start_lanes(lanes, "chaos-mixes") as server:
        yield server


@pytest.mark.timeout(0)
def test_each_question_has_one_outcome_and_is_paid_for_once(
    gateway_of_lanes: Server,
    simulator: Simulator,
    lanes: list[Lane],
    database_variables: dict[str, str],
    outcomes: Counter[str],
) -> None:
    teach(simulator)
    trial = Trial(lanes, gateway_of_lanes, simulator)
    for questions in rounds():
        trial.ask(questions, lambda question: allowed(question.mix))
    trial.verdict(outcomes, database_variables["DATABASE_URL"])
