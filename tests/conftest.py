"""Fixtures that all tests share: one simulator and one gateway, started once and reset before each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.client import Simulator
from tests.harness import Account, Server, running_gateway, running_simulator


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="session")
def account() -> Account:
    return Account.new()


@pytest.fixture(scope="session")
def simulator_server(account: Account, logs: Path) -> Iterator[Server]:
    with running_simulator(account, logs / "simulator.log") as server:
        yield server


@pytest.fixture
def simulator(simulator_server: Server) -> Iterator[Simulator]:
    """The simulator, without faults, scripts and records of earlier tests."""
    with Simulator(simulator_server.url) as client:
        client.reset()
        yield client
        client.reset()


@pytest.fixture(scope="session")
def gateway_server(account: Account, simulator_server: Server, logs: Path) -> Iterator[Server]:
    """The stock proxy with the repository's own configuration, without a database."""
    with running_gateway(account.for_gateway(simulator_server.url), logs / "gateway.log") as server:
        yield server


@pytest.fixture
def gateway(gateway_server: Server, simulator: Simulator) -> Server:
    return gateway_server
