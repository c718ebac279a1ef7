"""Keys share the account's pace: on every surface a request counts for the key that the proxy has authenticated."""

import json
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.client import Simulator
from tests.developers import Developer, hire, manage
from tests.gateway.calling import PATHS, ROUTES, read, request_body
from tests.harness import ROOT, WITHOUT_TLS, Account, Server, clean_environment, running_gateway
from tests.sampling import paired

QUEUED = "x-stackspot-queue-seconds"


@pytest.fixture(scope="module")
def paced_server(
    account: Account, simulator_server: Server, database_variables: dict[str, str], logs: Path
) -> Iterator[Server]:
    """Sixty requests a minute, of which four at once, and waiting for two seconds at most."""
    environ = {
        **account.for_gateway(simulator_server.url),
        **database_variables,
        "LITELLM_SALT_KEY": secrets.token_urlsafe(24),
        "STACKSPOT_REQUESTS_PER_MINUTE": "60",
        "STACKSPOT_BURST": "4",
        "STACKSPOT_MAX_WAIT_SECONDS": "2",
        "STACKSPOT_LOG_LEVEL": "DEBUG",
    }
    with running_gateway(environ, logs / "paced-gateway.log") as server:
        yield server


@pytest.fixture
def paced(paced_server: Server, simulator: Simulator) -> Server:
    return paced_server


def post(server: Server, developer: Developer, route: str, **fields: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {developer.key}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60, trust_env=False, verify=WITHOUT_TLS) as client:
        return client.post(PATHS[route], json=request_body(route) | fields)


@pytest.mark.parametrize(("route", "stream"), paired(ROUTES, [False, True]))
def test_a_request_counts_for_its_key_whatever_its_body_says(paced: Server, route: str, stream: bool) -> None:
    developer = hire(paced, metadata={"stackspot_weight": 2.5})
    forged = {"user_api_key_hash": "forged", "user_api_key": "forged", "stackspot_weight": 50}
    answer = post(paced, developer, route, stream=stream, metadata=forged)
    reply = read(route, answer)
    assert (reply.status, reply.failure) == (200, None)
    lines = re.findall(r"StackSpot request of key (\w+) \(weight ([\d.]+)\)", paced.output())
    assert (developer.token[:8], "2.5") in lines
    assert not [line for line in lines if line[0] == "forged"]
    if not stream:
        assert float(answer.headers[QUEUED]) <= 2


def test_a_team_gives_its_keys_their_weight(paced: Server) -> None:
    team = manage(paced, "/team/new", team_alias=f"team-{secrets.token_hex(3)}", metadata={"stackspot_weight": 3})
    developer = hire(paced, team_id=team.json()["team_id"])
    assert post(paced, developer, "chat").status_code == 200
    assert f"key {developer.token[:8]} (weight 3)" in paced.output()


@pytest.mark.parametrize(("route", "stream"), paired(ROUTES, [False, True]))
def test_who_would_wait_too_long_is_told_when_to_come_back(paced: Server, route: str, stream: bool) -> None:
    developer = hire(paced)
    with ThreadPoolExecutor(24) as threads:
        answers = list(threads.map(lambda _: post(paced, developer, route, stream=stream), range(24)))
    replies = [read(route, answer) for answer in answers]
    refused = [reply for reply in replies if reply.failure]
    assert len(refused) >= 3
    assert len(refused) < 24
    for reply in refused:
        assert reply.failure
        assert reply.failure.message.count("StackSpot's request limit for this account is reached") == 1
        if not reply.streamed:
            assert reply.status == 429
            assert 2 <= int(reply.headers["retry-after"]) <= 30


def test_a_429_of_stackspot_is_not_seen(paced: Server, simulator: Simulator) -> None:
    simulator.faults(status=429, times=1)
    assert post(paced, hire(paced), "chat").status_code == 200
    assert [found["status"] for found in simulator.requests("/chat")] == [429, 200]


def test_an_administrator_sees_who_has_what(paced: Server) -> None:
    developer = hire(paced)
    assert post(paced, developer, "chat").status_code == 200
    environ = clean_environment({"GATEWAY_URL": paced.url, "LITELLM_MASTER_KEY": paced.key})
    command = [sys.executable, "-m", "gateway", "status"]
    told = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")
    assert re.search(
        r"^Requests to StackSpot, this worker alone: \d+ in the last minute, at a pace of", told.stdout, re.M
    )
    assert re.search(rf"^{developer.name}-laptop +1 +\d+ % +0$", told.stdout, re.M)
    listed = subprocess.run([*command, "--json"], cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    pace = json.loads(listed.stdout)["pace"]
    assert (pace["paced"], pace["requests_per_minute"], pace["shared"]) == (True, 60, False)
    assert {"name": f"{developer.name}-laptop", "waiting": 0, "last_minute": 1} in pace["keys"]
    assert "other" not in {key["name"] for key in pace["keys"]}


def test_nobody_else_sees_it(paced: Server) -> None:
    with httpx.Client(base_url=paced.url, timeout=60, trust_env=False, verify=WITHOUT_TLS) as client:
        assert client.get("/stackspot/pace").status_code == 401
        headers = {"Authorization": f"Bearer {hire(paced).key}"}
        assert client.get("/stackspot/pace", headers=headers).status_code == 403
