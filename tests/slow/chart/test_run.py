"""What the chart starts, started here: its commands with its environment and files, on a real Postgres and Redis."""

import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.harness import BIN, Account, Server, clean_environment, free_port, process, wait_until_ready
from tests.slow.chart.conftest import LEAST
from tests.slow.chart.helm import Helm, Rendered, variables
from tests.slow.resilience.redis_server import RedisServer

TEMPORARY = "/tmp"  # noqa: S108
SECONDS = 300


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    if not shutil.which("redis-server"):
        pytest.skip("needs redis-server: apt-get install redis-server, or brew install redis")
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def empty_database(database_variables: dict[str, str]) -> dict[str, str]:
    """One without tables, on the server that the tests share. It listens on a socket, which needs an address."""
    address = database_variables["DATABASE_URL"]
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS chart")
        connection.execute("CREATE DATABASE chart")
    assert "/litellm?" in address
    return {**database_variables, "DATABASE_URL": address.replace("/litellm?", "/chart?")}


def environment(container: dict[str, Any], secret: dict[str, str], folder: Path) -> dict[str, str]:
    """What a kubelet would give the container."""
    given = {}
    for name, entry in variables(container).items():
        reference = entry.get("valueFrom", {}).get("secretKeyRef", {})
        if reference.get("optional") and name not in secret:
            continue
        given[name] = secret[reference["key"]] if reference else entry["value"].replace(TEMPORARY, str(folder))
    return {name: value for name, value in given.items() if not name.startswith("DATABASE_")}


def test_the_job_prepares_an_empty_database_and_a_pod_serves(
    helm: Helm,
    account: Account,
    simulator_server: Server,
    empty_database: dict[str, str],
    redis: RedisServer,
    tmp_path: Path,
) -> None:
    stackspot = account.for_gateway(simulator_server.url)
    settings = {name: value for name, value in stackspot.items() if "CLIENT" not in name and "KEY" not in name}
    place = {"host": "127.0.0.1", "port": redis.port}
    rendered: Rendered = helm.rendered(LEAST | {"redis": place, "settings": settings})
    rendered.lay_out(tmp_path / "app")
    secret = {name: f"sk-{secrets.token_hex(16)}" for name in ("LITELLM_MASTER_KEY", "LITELLM_SALT_KEY", "UI_PASSWORD")}
    secret |= {name: value for name, value in stackspot.items() if name not in settings}
    secret |= {"REDIS_PASSWORD": redis.password, "DATABASE_PASSWORD": "in the address"}

    [job], [gateway] = rendered.job["containers"], rendered.pod["containers"]
    program, *words = job["command"]
    given = clean_environment(environment(job, secret, tmp_path) | empty_database)
    done = subprocess.run(
        [BIN / program, *words], env=given, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    with psycopg.connect(empty_database["DATABASE_URL"]) as connection:
        assert connection.execute('SELECT count(*) FROM "LiteLLM_VerificationToken"').fetchone() == (0,)

    program, *words = [word.replace("/app/", f"{tmp_path}/app/") for word in gateway["command"]]
    port = free_port()
    words[words.index("4000")] = str(port)
    given = clean_environment(environment(gateway, secret, tmp_path) | empty_database)
    log = tmp_path / "gateway.log"
    with process([BIN / program, *words, "--host", "127.0.0.1"], given, log, tmp_path / "app") as running:
        server = Server(f"http://127.0.0.1:{port}", running, log, secret["LITELLM_MASTER_KEY"])
        wait_until_ready(server)
        with httpx.Client(base_url=server.url, trust_env=False, timeout=60) as client:
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                assert client.get(gateway[probe]["httpGet"]["path"]).status_code == 200
            assert "There is no GET /health/drain" in client.get("/health/drain").text, "open to whoever reaches a pod"
            made = client.post("/key/generate", json={}, headers={"Authorization": f"Bearer {server.key}"})
            headers = {"Authorization": f"Bearer {made.json()['key']}"}
            body = {"model": "stackspot", "messages": [{"role": "user", "content": "Hello"}]}
            answer = client.post("/v1/chat/completions", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert "migrate deploy" not in server.output(), "a pod changes no tables"
