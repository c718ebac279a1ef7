"""The gateway of the chaos tests: a database, and a lane for each question that is asked at once."""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from simulator.client import Simulator
from tests.developers import hire
from tests.harness import Account, Server, running_gateway
from tests.slow.chaos.lanes import Lane, configuration
from tests.slow.chaos.seeding import replay, seed

Tell = Callable[[str], None]


@pytest.fixture(scope="session")
def tell(request: pytest.FixtureRequest) -> Tell:
    """A line on the terminal, also where the output of tests is caught."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def line(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{text}", flush=True)

    return line


@pytest.fixture(scope="session")
def outcomes(tell: Tell) -> Iterator[Counter[str]]:
    """The classes of all outcomes of the run, told at its end with the seed."""
    tell(f"chaos: seed {seed()} (again: {replay()})")
    counted: Counter[str] = Counter()
    started = time.monotonic()
    yield counted
    rows = [f"  {count:6}  {kind}" for kind, count in counted.most_common()]
    took = time.monotonic() - started
    tell("\n".join([f"chaos: seed {seed()}, {counted.total()} questions in {took:.0f} s", *rows]))


Start = Callable[..., AbstractContextManager[Server]]


@pytest.fixture(scope="session")
def start_lanes(
    account: Account,
    simulator_server: Server,
    simulator_client: Simulator,
    database_variables: dict[str, str],
    logs: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Start:
    """Starts a gateway with a model and a key for each lane; `settings` are LiteLLM's, `variables` come on top."""

    @contextmanager
    def start(
        lanes: list[Lane], name: str, settings: Mapping[str, Any] | None = None, *, cold: bool = False, **variables: str
    ) -> Iterator[Server]:
        config = configuration(lanes, tmp_path_factory.mktemp(name) / "litellm_config.yaml", settings or {})
        environ = {**account.for_gateway(simulator_server.url), **database_variables}
        environ |= {"LITELLM_SALT_KEY": secrets.token_urlsafe(24), **variables}
        for lane in lanes:
            environ |= lane.variables()
            own = lane.account
            simulator_client.add_account(own.realm, own.client_id, own.client_secret)
            simulator_client.add_agent(lane.agent, client_id=own.client_id)
            simulator_client.add_key(own.api_key, own.client_id)
        with running_gateway(environ, logs / f"{name}.log", config=config, cold=cold) as server:
            for lane in lanes:
                lane.developer = hire(server, lane.name)
            yield server

    return start
