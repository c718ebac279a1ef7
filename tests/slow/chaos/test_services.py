"""The switches of the key API, and those of uploads: one outcome for each question, and exact spend."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from itertools import chain, zip_longest

import pytest

from simulator.client import Simulator
from simulator.control.faults import ModelFaults, ServiceFaults
from tests.gateway.calling import ROUTES
from tests.harness import Server
from tests.slow.chaos.conftest import Start
from tests.slow.chaos.lanes import KEY, STORAGE, UPLOADS, Lane
from tests.slow.chaos.mixes import FOR_EVER, SINGLES, Mix, Switches
from tests.slow.chaos.questions import PICTURES, Question, teach
from tests.slow.chaos.trial import Trial
from tests.slow.chaos.verdicts import of_key_api, of_storage, of_uploads

LANES = [KEY] * 14 + [UPLOADS] * 5 + [STORAGE] * 5
OF_KEY_API = [one for one in SINGLES if one.keys() <= {field.name for field in fields(ModelFaults)}]
# All that any service may do; what is tried again takes seconds, and so it is a choice.
OF_UPLOADS: list[Switches] = [
    *({"status": status} for status in (400, 401, 403, 404, 413, 418, 422, 429, 503)),
    {"status": 200, "body": ""},
    {"status": 200, "html": True},
    {"html": True},
    {"html": True, "content_type": "application/json", "status": 403},
    {"redirect": "http://127.0.0.1:9/elsewhere"},
    {"disconnect": "reset"},
    {"header_delay": 0.2},
    {"header_delay": FOR_EVER},
    {"headers": {"X-Strange": "yes"}, "header_delay": 0.1},
    {"status": 503, "retry_after": "3000"},
]


def test_no_switch_of_a_service_is_left_out() -> None:
    used = {name for one in OF_UPLOADS for name in one} | {"times"}
    assert used == {field.name for field in fields(ServiceFaults)}
    used = {name for one in OF_KEY_API for name in one} | {"times", "flood_bytes"}
    assert used == {field.name for field in fields(ModelFaults)}


def questions() -> list[Question | None]:
    """Each lane has those of its service, in turn; each switch meets another way of asking."""
    ways = [(route, stream) for route in ROUTES for stream in (False, True)]
    with_picture = [(route, stream) for route in PICTURES for stream in (False, True)]
    found: dict[str, list[Question]] = {KEY: [], UPLOADS: [], STORAGE: []}
    for at, switches in enumerate(OF_KEY_API):
        route, stream = ways[at % len(ways)]
        found[KEY].append(Question(at, route, stream, "text", Mix((switches,))))
    for at, (service, switches) in enumerate((service, one) for service in (UPLOADS, STORAGE) for one in OF_UPLOADS):
        route, stream = with_picture[at % len(with_picture)]
        found[service].append(Question(at, route, stream, "text", Mix((switches,)), picture=True))
    of_lanes = [found[service][at - LANES.index(service) :: LANES.count(service)] for at, service in enumerate(LANES)]
    return list(chain.from_iterable(zip_longest(*of_lanes)))


@pytest.fixture(scope="module")
def lanes() -> list[Lane]:
    return [Lane(number, service) for number, service in enumerate(LANES)]


@pytest.fixture(scope="module")
def with_services(start_lanes: Start, lanes: list[Lane]) -> Iterator[Server]:
    with start_lanes(lanes, "chaos-services", STACKSPOT_UPLOADS="true") as server:
        yield server


def test_whatever_services_do_each_question_has_one_outcome(
    with_services: Server,
    simulator: Simulator,
    lanes: list[Lane],
    database_variables: dict[str, str],
    outcomes: Counter[str],
) -> None:
    teach(simulator)
    asked = questions()
    service = {id(question): LANES[at % len(LANES)] for at, question in enumerate(asked) if question}

    def expected(question: Question) -> set[str]:
        (switches,) = question.mix.attempts
        match service[id(question)]:
            case "key":
                return of_key_api(switches, stream=question.stream)
            case "uploads":
                return of_uploads(switches)
            case _:
                return of_storage(switches)

    trial = Trial(lanes, with_services, simulator)
    trial.ask(asked, expected)
    trial.verdict(outcomes, database_variables["DATABASE_URL"])
