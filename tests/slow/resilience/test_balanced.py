"""Two replicas behind one address: restarted one by one under load, one lost, and limits that hold for both."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from simulator.client import Simulator
from tests.developers import ask, hire
from tests.slow.resilience import postgres_server
from tests.slow.resilience.balancer import Balancer, balanced
from tests.slow.resilience.conftest import Team
from tests.slow.resilience.streams import listen, listening
from tests.waiting import eventually

DEVELOPERS = 6


@pytest.fixture
def balancer(team: Team, logs: Path) -> Iterator[Balancer]:
    one, other = (urlsplit(replica.url).netloc for replica in (team.one, team.other))
    with balanced(one, other, logs / "haproxy.log", team.one.server.key) as running:
        running.wait_until_all_are_up()
        yield running


def test_a_rolling_restart_loses_and_cuts_no_stream(team: Team, balancer: Balancer, simulator: Simulator) -> None:
    developers = [hire(balancer.server) for _ in range(DEVELOPERS)]
    simulator.faults(delta_delay=0.05)
    with listening(balancer.server, developers) as listeners:
        for name, replica in (("one", team.one), ("two", team.other)):
            balancer.wait_until_each_has(1)
            balancer.say(f"set server gateways/{name} state drain")
            replica.stop()  # with streams under way
            listeners.go_on(DEVELOPERS)
            replica.start()
            balancer.say(f"set server gateways/{name} state ready")
            balancer.wait_until_all_are_up()
        balancer.wait_until_each_has(1)
    assert listeners.broken() == []
    assert len({stream.text for stream in listeners.streams}) == 1, "all were asked the same, and all got all of it"


def test_streams_of_a_killed_replica_break_and_nothing_else(
    team: Team, balancer: Balancer, simulator: Simulator
) -> None:
    developers = [hire(balancer.server) for _ in range(DEVELOPERS)]
    simulator.faults(delta_delay=0.1)
    with listening(balancer.server, developers) as listeners:
        listeners.go_on(DEVELOPERS)
        balancer.wait_until_each_has(1)
        open_streams = int(balancer.gateways()["two"]["scur"])
        team.other.kill()
        listeners.go_on(2 * DEVELOPERS)
    broken = listeners.broken()
    assert 0 < len(broken) <= max(open_streams, DEVELOPERS)
    for stream in broken:
        if stream.status == 200:  # it had begun: no client can take it for a whole one
            assert "incomplete chunked read" in stream.error
        else:
            assert stream.status == 502
            assert json.loads(stream.text)["error"]["message"].startswith("The gateway that had this request")
    assert [stream for stream in listeners.streams[-DEVELOPERS:] if not stream.whole] == []


def test_a_limit_holds_for_both_behind_one_address(team: Team, balancer: Balancer) -> None:
    developer = hire(balancer.server, rpm_limit=4)
    before = {name: int(row["stot"]) for name, row in balancer.gateways().items()}
    assert [ask(balancer.server, developer).status_code for _ in range(6)] == [200] * 4 + [429] * 2
    after = {name: int(row["stot"]) for name, row in balancer.gateways().items()}
    assert all(after[name] > before[name] for name in after), "both were asked"


def test_without_postgres_known_keys_go_on(team: Team, balancer: Balancer) -> None:
    """No gateway is ready then. One that were taken out for it would take the others with it."""
    developer, newcomer = hire(balancer.server), hire(balancer.server)
    assert [ask(gateway, developer).status_code for gateway in team.gateways] == [200, 200]
    postgres_server.stop(team.postgres)
    try:
        ready = f"{team.one.url}/health/readiness"
        eventually(lambda: httpx.get(ready, trust_env=False, timeout=10).status_code == 503, "LiteLLM misses it")
        time.sleep(5)  # two checks of haproxy's, which would take a gateway out
        assert {row["status"] for row in balancer.gateways().values()} == {"UP"}
        known = listen(balancer.server, developer)
        # LiteLLM remembers a key for a minute: on a slow machine the known one becomes unknown
        assert known.whole or "no_db_connection" in known.text, known
    finally:
        postgres_server.start(team.postgres)
    for gateway in team.gateways:
        eventually(lambda g=gateway: ask(g, newcomer).status_code == 200, "a key can be looked up again", 120)  # type: ignore[misc]
