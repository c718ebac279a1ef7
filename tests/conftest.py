"""Fixtures that all tests share: one simulator and one gateway, started once and reset before each test."""

import gc
import os
import secrets
import signal
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from custom_handlers.http.network import exempt_loopback
from database.local import database
from simulator.client import Simulator
from tests.forking import end_forkers, start_forkers
from tests.harness import ROOT, Account, Server, clean_environment, running_gateway, running_simulator
from tests.sampling import note_selection
from tests.scheduling import order, scheduler

# A shell that runs the tests in the background has them ignore Ctrl-C, and with them all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Importing LiteLLM would read the owner's .env, and a proxy of the owner's is not for loopback.
os.environ["LITELLM_MODE"] = "PRODUCTION"
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # otherwise it waits for a price list from the internet
os.environ.update(exempt_loopback(os.environ))

# Nothing here is timed: a slow machine is no failure. Each run tries other examples, except in the gate, whose verdict
# is about the change and not about luck.
settings.register_profile("quick", deadline=None, max_examples=25)
settings.register_profile("exploring", deadline=None)
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_configure(config: pytest.Config) -> None:
    note_selection(config.getoption("markexpr"))
    start_forkers()  # before the workers of pytest-xdist, which share them


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """What is collected lives to the end: no search for garbage needs to look through thousands of tests."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: order(item.nodeid))


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    end_forkers()
    gc.collect()
    gc.freeze()  # pytest searches ten times more


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two more than there are cores: a worker often waits, for a gateway's start or for time to pass."""
    return (os.cpu_count() or 1) + 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    return scheduler(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None, None, None]:
    """What this machine lacks is told at the very end, where nobody overlooks it."""
    yield
    reasons = Counter(str(report.longrepr[2]) for report in terminalreporter.getreports("skipped"))
    for reason, count in reasons.items():
        terminalreporter.write_line(f"{count} tests were left out: {reason.removeprefix('Skipped: ')}", red=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true a skipped test is a failure: what a machine lacks must not look like a pass."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome, report.longrepr = "failed", f"CI=true allows no skipped test. {reason}"
    return report


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


@pytest.fixture(scope="session")
def simulator_client(simulator_server: Server) -> Iterator[Simulator]:
    with Simulator(simulator_server.url) as client:
        yield client


@pytest.fixture
def simulator(simulator_client: Simulator) -> Simulator:
    """The simulator, without faults, scripts and records of earlier tests."""
    simulator_client.reset()
    return simulator_client


@pytest.fixture(scope="session")
def gateway_server(account: Account, simulator_server: Server, logs: Path) -> Iterator[Server]:
    """The stock proxy with the repository's own configuration, without a database."""
    with running_gateway(account.for_gateway(simulator_server.url), logs / "gateway.log") as server:
        yield server


@pytest.fixture
def gateway(gateway_server: Server, simulator: Simulator) -> Server:
    return gateway_server


@pytest.fixture(scope="session")
def database_variables() -> Iterator[dict[str, str]]:
    """What a gateway is told of an embedded Postgres, which all share."""
    # Not among pytest's own folders: a second pytest closes their parent to the user that Postgres runs as.
    with (
        tempfile.TemporaryDirectory(prefix="gateway-tests-") as folder,
        database(ROOT, clean_environment({}), Path(folder) / "postgres") as variables,
    ):
        yield variables


@pytest.fixture(scope="session")
def team_gateway_server(
    account: Account, simulator_server: Server, database_variables: dict[str, str], logs: Path
) -> Iterator[Server]:
    """The same proxy with a database, as `make run` starts it: keys, teams, budgets, usage and the admin UI."""
    environ = {**account.for_gateway(simulator_server.url), **database_variables}
    environ |= {"LITELLM_SALT_KEY": secrets.token_urlsafe(24)}
    environ |= {"UI_USERNAME": "admin", "UI_PASSWORD": secrets.token_urlsafe(12), "STACKSPOT_RESPONSES_MINUTES": "30"}
    with running_gateway(environ, logs / "team-gateway.log") as server:
        yield replace(server, ui_password=environ["UI_PASSWORD"])


@pytest.fixture
def team_gateway(team_gateway_server: Server, simulator: Simulator) -> Server:
    return team_gateway_server
