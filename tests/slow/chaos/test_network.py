"""The network between gateway and StackSpot: whatever it does, one outcome for each question, and exact spend."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from custom_handlers.upstream.oauth import RENEWAL_TIMEOUTS
from simulator.client import Simulator
from tests.developers import hire
from tests.harness import Server
from tests.slow.chaos import network
from tests.slow.chaos.conftest import Start
from tests.slow.chaos.lanes import Lane
from tests.slow.chaos.mixes import FOR_EVER, Mix
from tests.slow.chaos.network import FaultProxy
from tests.slow.chaos.questions import Question, one_of_each, teach
from tests.slow.chaos.trial import Trial
from tests.slow.chaos.verdicts import ANSWER

NO_FAULTS = Mix(({},))
# The token service, by the simulator's switches or by the network, and what is told.
TOKEN_FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"status": 500}, network.PASS, "odd status"),
    ({"status": 401}, network.PASS, "credentials"),
    ({"status": 200, "html": True}, network.PASS, "no token"),
    ({"status": 200, "body": ""}, network.PASS, "no token"),
    ({"status": 200, "body": {"access_token": 7}}, network.PASS, "no token"),
    ({}, network.RESET_BEFORE, "unreachable"),
    ({}, network.GARBAGE, "unreachable"),
    ({"header_delay": FOR_EVER}, network.PASS, "silent"),
]
OUTCOMES = {
    network.PASS: ANSWER,
    network.REFUSE: "unreachable",
    network.RESET_BEFORE: "unreachable",
    network.RESET_IN_HEAD: "unreachable",
    network.GARBAGE: "unreachable",
    network.RESET_IN_BODY: "broken off",
    network.CLOSE_IN_BODY: "broken off",
    network.HALF_OPEN: "silent",
    network.HALF_OPEN_IN_BODY: "silent",
    network.SLOW_HEAD: "silent",
    network.SLOW_BODY: "silent",
    network.BUFFER: ANSWER,
    network.KEEP_OPEN: ANSWER,
}


@pytest.fixture(scope="module")
def way(simulator_server: Server) -> Iterator[FaultProxy]:
    proxy = FaultProxy(simulator_server.url)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def token_way(simulator_server: Server) -> Iterator[FaultProxy]:
    proxy = FaultProxy(simulator_server.url)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def lanes() -> list[Lane]:
    return [Lane(number) for number in range(8)]


@pytest.fixture(scope="module")
def behind_network(start_lanes: Start, lanes: list[Lane], way: FaultProxy, token_way: FaultProxy) -> Iterator[Server]:
    variables = {"STACKSPOT_INFERENCE_URL": way.url, "STACKSPOT_IDM_URL": token_way.url}
    with start_lanes(lanes, "chaos-network", **variables) as server:
        yield server


def questions(number: int) -> list[Question]:
    return one_of_each(number * 8, NO_FAULTS)


def test_whatever_connections_do_each_question_has_one_outcome(
    behind_network: Server,
    simulator: Simulator,
    lanes: list[Lane],
    way: FaultProxy,
    database_variables: dict[str, str],
    outcomes: Counter[str],
) -> None:
    teach(simulator)
    trial = Trial(lanes, behind_network, simulator)
    for number, (mode, outcome) in enumerate(OUTCOMES.items()):
        way.be(mode)
        trial.ask(questions(number), lambda _, outcome=outcome: {outcome})  # type: ignore[misc]
        way.be(network.PASS)
        trial.ask(questions(number), lambda _: {ANSWER})
    trial.verdict(outcomes, database_variables["DATABASE_URL"])


def test_whatever_the_token_service_does_each_question_has_one_outcome(
    behind_network: Server,
    simulator: Simulator,
    lanes: list[Lane],
    token_way: FaultProxy,
    database_variables: dict[str, str],
    outcomes: Counter[str],
) -> None:
    """Each fault meets an account of its own, as an account remembers for some seconds that it has no token."""
    teach(simulator)
    for lane in lanes:
        lane.asked.clear()
        lane.developer = hire(behind_network, lane.name)
    trial = Trial(lanes, behind_network, simulator)
    trial.ask(one_of_each(0, NO_FAULTS), lambda _: {ANSWER})  # all have a token
    for at, (switches, mode, expected) in enumerate(TOKEN_FAULTS):
        simulator.revoke_tokens()
        simulator.faults(target="token", **switches)
        token_way.be(mode)
        turn: list[Question | None] = [None] * len(lanes)
        turn[at] = one_of_each(at * 8, NO_FAULTS)[at]
        trial.ask(turn, lambda _, expected=expected: {expected})  # type: ignore[misc]
    simulator.no_faults("token")
    token_way.be(network.PASS)
    time.sleep(RENEWAL_TIMEOUTS.total)  # the last renewal still waits
    trial.ask(one_of_each(8, NO_FAULTS), lambda _: {ANSWER})
    trial.verdict(outcomes, database_variables["DATABASE_URL"])
