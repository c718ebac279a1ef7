"""What the tests through the proxy share: callers of both gateways, and a place that nobody may be sent to."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.client import Simulator
from tests.gateway.calling import Caller
from tests.gateway.remote import RemotePlace
from tests.harness import AGENTS, ROOT, Account, Server, running_gateway

# Deployments of the second gateway beside the three models: what the repository's configuration leaves off.
IMPATIENT, INFORMED = "impatient", "informed"
KNOWLEDGE = {
    "stackspot_knowledge": True,
    "stackspot_deep_search": True,
    "stackspot_knowledge_source_ids": ["handbook"],
    "stackspot_agent_version": 3,
}
# Deployments of the third gateway, which takes files: both with an agent that nobody else asks, one with a small limit.
SMALL, SMALL_LIMIT, LEARNING = "small", 100, "learning"
ATTENTIVE = "attentive"  # a sign of life each second
THINKING_OPEN = "thinking-open"  # whose answers begin inside a thought
LEARNING_AGENT = "01J000000000000000000EARN0"
# Goes into every upstream body that is refused or broken, and may come out nowhere.
PRIVATE = "upstream-says-this-to-nobody"


@pytest.fixture(scope="session")
def only_caller(gateway_server: Server, account: Account, simulator_server: Server) -> Caller:
    return Caller(gateway_server, private_matters(account, simulator_server, gateway_server))


@pytest.fixture
def caller(only_caller: Caller, simulator: Simulator) -> Caller:
    """A client of the gateway; the stand-in is as new."""
    return only_caller


@pytest.fixture(scope="session")
def key_gateway_server(
    account: Account, simulator_server: Server, logs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The repository's configuration with the three models on the key API, two more on agents, and debug logs."""
    content: dict[str, Any] = yaml.safe_load((ROOT / "litellm_config.yaml").read_text())
    deployment = {
        "litellm_params": {"model": "stackspot_ai/stackspot-ai-chat"},
        "model_info": {"stackspot_agent_id": AGENTS["stackspot-ai-chat"]},
    }
    limits = {"stackspot_first_byte_timeout": 0.5, "stackspot_idle_timeout": 0.5}
    content["model_list"] += [
        {**deployment, "model_name": IMPATIENT, "model_info": deployment["model_info"] | limits},
        {**deployment, "model_name": INFORMED, "model_info": deployment["model_info"] | KNOWLEDGE},
    ]
    config = tmp_path_factory.mktemp("key-gateway") / "litellm_config.yaml"
    config.write_text(yaml.safe_dump(content))
    environ = account.for_gateway(simulator_server.url)
    environ = {name: value for name, value in environ.items() if not name.endswith("_AGENT_ID")}
    environ |= {"STACKSPOT_API_KEY": account.api_key.removeprefix("sk-"), "LITELLM_LOG": "DEBUG"}
    with running_gateway(environ, logs / "key-gateway.log", config=config) as server:
        yield server


@pytest.fixture
def key_gateway(key_gateway_server: Server, simulator: Simulator) -> Server:
    return key_gateway_server


@pytest.fixture(scope="session")
def only_key_caller(key_gateway_server: Server, account: Account, simulator_server: Server) -> Caller:
    return Caller(key_gateway_server, private_matters(account, simulator_server, key_gateway_server))


@pytest.fixture
def key_caller(only_key_caller: Caller, simulator: Simulator) -> Caller:
    """A client of the second gateway; the stand-in is as new."""
    return only_key_caller


@pytest.fixture(scope="session")
def remote_place() -> Iterator[RemotePlace]:
    place = RemotePlace()
    yield place
    place.close()


@pytest.fixture(scope="session")
def extra_gateway_server(
    account: Account,
    simulator_server: Server,
    remote_place: RemotePlace,
    logs: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """The repository's configuration with uploads and the fetching of images on, and four more models.

    Nothing in a test is public, so one place on loopback is let through as an operator would do it.
    """
    content: dict[str, Any] = yaml.safe_load((ROOT / "litellm_config.yaml").read_text())
    first = content["model_list"][0]
    for name, info in (
        (SMALL, {"max_input_tokens": SMALL_LIMIT}),
        (LEARNING, {}),
    ):
        info = first["model_info"] | info | {"stackspot_agent_id": LEARNING_AGENT}
        content["model_list"].append({**first, "model_name": name, "model_info": info})
    content["model_list"].append(
        {**first, "model_name": ATTENTIVE, "litellm_params": first["litellm_params"] | {"keepalive_seconds": 1}}
    )
    content["model_list"].append(
        {
            **first,
            "model_name": THINKING_OPEN,
            "model_info": first["model_info"] | {"stackspot_thinking_open": True},
        }
    )
    content["litellm_settings"]["anthropic_sse_ping_interval_seconds"] = 1
    content["litellm_settings"]["user_url_allowed_hosts"] = [remote_place.url.removeprefix("http://")]
    config = tmp_path_factory.mktemp("extra-gateway") / "litellm_config.yaml"
    config.write_text(yaml.safe_dump(content))
    environ = account.for_gateway(simulator_server.url)
    environ |= {"STACKSPOT_UPLOADS": "true", "STACKSPOT_FETCH_IMAGES": "true"}
    with running_gateway(environ, logs / "extra-gateway.log", config=config) as server:
        yield server


@pytest.fixture(scope="session")
def only_extra_caller(extra_gateway_server: Server, account: Account, simulator_server: Server) -> Caller:
    with Simulator(simulator_server.url) as simulator:
        simulator.add_agent(LEARNING_AGENT)
    return Caller(extra_gateway_server, private_matters(account, simulator_server, extra_gateway_server))


@pytest.fixture
def extra_caller(only_extra_caller: Caller, simulator: Simulator) -> Caller:
    """A client of the third gateway; the stand-in is as new."""
    return only_extra_caller


def secrets_of(account: Account, server: Server) -> tuple[str, ...]:
    """What may be told to nobody and logged nowhere. All of the stand-in's tokens start with the same characters."""
    return (account.client_secret, account.api_key.removeprefix("sk-"), "eyJhbGciOi", server.key.removeprefix("sk-"))


def private_matters(account: Account, simulator: Server, server: Server) -> tuple[str, ...]:
    """What no answer may hold: secrets, StackSpot's address and paths, what StackSpot said, tracebacks."""
    address = simulator.url.removeprefix("http://")
    return (*secrets_of(account, server), address, "/v1/agent", "/oidc/", PRIVATE, "Traceback", "site-packages")


class Decoy:
    """A listener that a hostile request would like the gateway to call; it counts who comes."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.calls = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.calls += 1
            connection.close()

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def decoy() -> Iterator[Decoy]:
    place = Decoy()
    yield place
    place.close()
    assert place.calls == 0
