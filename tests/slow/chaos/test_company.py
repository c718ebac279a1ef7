"""The way out through a company's proxy, and TLS that cannot be trusted: told as one clear error, at any time."""

from collections import Counter
from collections.abc import Iterator

import pytest

from simulator.client import Simulator
from tests.harness import Server
from tests.slow.chaos import company, network
from tests.slow.chaos.company import HOST, CompanyProxy
from tests.slow.chaos.conftest import Start
from tests.slow.chaos.lanes import Lane
from tests.slow.chaos.mixes import Mix
from tests.slow.chaos.questions import one_of_each, teach
from tests.slow.chaos.trial import Trial
from tests.slow.chaos.verdicts import ANSWER

NO_FAULTS = Mix(({},))
OUTCOMES = {
    network.PASS: ANSWER,
    company.SELF_SIGNED: "unreachable",
    company.EXPIRED: "unreachable",
    company.WRONG_HOST: "unreachable",
    company.UNKNOWN_HOST: "unreachable",
    company.UNKNOWN_USER: "unreachable",
    company.CUT_HANDSHAKE: "unreachable",
    company.SILENT_TUNNEL: "silent",
    network.REFUSE: "unreachable",
    network.RESET_IN_BODY: "broken off",
    network.HALF_OPEN_IN_BODY: "silent",
    network.BUFFER: ANSWER,
}


@pytest.fixture(scope="module")
def lanes() -> list[Lane]:
    return [Lane(number) for number in range(8)]


@pytest.fixture(scope="module")
def way(simulator_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CompanyProxy]:
    proxy = CompanyProxy(simulator_server.url, tmp_path_factory.mktemp("certificates"))
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def in_company(start_lanes: Start, lanes: list[Lane], way: CompanyProxy) -> Iterator[Server]:
    variables = {"STACKSPOT_INFERENCE_URL": f"https://{HOST}", "HTTPS_PROXY": way.url}
    # As SSL_CERT_FILE is read when LiteLLM is imported, which a forked gateway does not do again.
    with start_lanes(lanes, "chaos-company", {"ssl_verify": str(way.bundle)}, **variables) as server:
        yield server


def test_a_company_s_network_has_one_outcome_for_each_question(
    in_company: Server,
    simulator: Simulator,
    lanes: list[Lane],
    way: CompanyProxy,
    database_variables: dict[str, str],
    outcomes: Counter[str],
) -> None:
    teach(simulator)
    trial = Trial(lanes, in_company, simulator)
    for number, (mode, outcome) in enumerate(OUTCOMES.items()):
        way.be(mode)
        before = way.tunnels
        trial.ask(one_of_each(number * 8, NO_FAULTS), lambda _, outcome=outcome: {outcome})  # type: ignore[misc]
        assert way.tunnels > before or mode == network.REFUSE, "past the proxy nobody goes"
    way.be(network.PASS)
    trial.ask(one_of_each(0, NO_FAULTS), lambda _: {ANSWER})
    trial.verdict(outcomes, database_variables["DATABASE_URL"])


def test_a_name_that_cannot_be_resolved(
    start_lanes: Start, simulator: Simulator, database_variables: dict[str, str], outcomes: Counter[str]
) -> None:
    teach(simulator)
    lanes = [Lane(number) for number in range(8)]
    with start_lanes(lanes, "chaos-names", STACKSPOT_INFERENCE_URL="https://nowhere.invalid") as server:
        trial = Trial(lanes, server, simulator)
        trial.ask(one_of_each(0, NO_FAULTS), lambda _: {"unreachable"})
        trial.verdict(outcomes, database_variables["DATABASE_URL"])
