"""`make clients-newest` tells how a client did. Here it is a locked one, so that nobody's release fails the tests."""

import pytest

from simulator.client import Simulator
from tests.harness import Server
from tests.slow.agents.newest import MODEL, WORKED, npm_version, status, try_client
from tests.slow.agents.packages import CLIENTS, locked_version
from tests.slow.agents.running import Place

pytestmark = [pytest.mark.agents, pytest.mark.timeout(480)]

CLIENT = "openai-javascript"


@pytest.mark.parametrize("client", [CLIENT])
def test_a_client_is_tried(client: str, place: Place, gateway: Server, simulator: Simulator) -> None:
    simulator.model(MODEL)
    version = npm_version(place.folder / "node_modules", "openai")
    worked = try_client(client, lambda _: (version, place), gateway.url, gateway.key)
    locked = locked_version(CLIENTS[client])
    assert worked.row == (client, locked, locked, WORKED)
    simulator.model("echo")
    (place.folder / "prices.py").write_text("")
    failed = try_client(client, lambda _: (version, place), gateway.url, gateway.key)
    assert failed.result != WORKED
    (place.programs / "node").unlink()
    (place.programs / "node").write_text("#!/bin/sh\necho there is no such thing as node >&2\nexit 3\n")
    (place.programs / "node").chmod(0o755)
    broken = try_client(client, lambda _: (version, place), gateway.url, gateway.key)
    assert broken.result == "there is no such thing as node"
    assert [status([worked]), status([worked, failed]), status([broken])] == [0, 1, 1]
