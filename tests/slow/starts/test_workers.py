"""Two workers with Redis: what holds for a key holds on both, at once."""

import secrets
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from simulator.client import Simulator
from tests.gateway.administration.conftest import Developer, Make, make_for
from tests.harness import Account, Server, clean_environment, free_port, process, running_gateway
from tests.waiting import eventually

CALLS = 40  # each on a connection of its own, so that both workers get some
TWO_WORKERS = ("--num_workers", "2", "--timeout_worker_healthcheck", "60")


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    if not shutil.which("redis-server"):
        pytest.skip("needs redis-server: apt-get install redis-server, or brew install redis")
    folder = tmp_path_factory.mktemp("redis")
    port, password = free_port(), secrets.token_urlsafe(16)
    settings = folder / "redis.conf"
    settings.write_text(f'port {port}\nbind 127.0.0.1\nrequirepass {password}\nsave ""\ndir {folder}\n')
    with process(["redis-server", settings], clean_environment({}), folder / "redis.log"):
        yield {"REDIS_HOST": "127.0.0.1", "REDIS_PORT": str(port), "REDIS_PASSWORD": password}


@pytest.fixture(scope="module")
def metrics_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def two_workers(
    account: Account,
    simulator_server: Server,
    database_variables: dict[str, str],
    redis: dict[str, str],
    metrics_port: int,
    logs: Path,
) -> Iterator[Server]:
    environ = {**account.for_gateway(simulator_server.url), **database_variables, **redis}
    environ |= {"PROMETHEUS_METRICS_PORT": str(metrics_port), "PROMETHEUS_MULTIPROC_DIR": str(logs / "two-workers")}
    environ |= {"STACKSPOT_REQUESTS_PER_MINUTE": "6000"}
    with running_gateway(environ, logs / "two-workers.log", *TWO_WORKERS) as server:
        yield server


@pytest.fixture
def make_two(two_workers: Server, simulator: Simulator) -> Make:
    return make_for(two_workers)


def statuses(gateway: Server, key: str) -> Counter[int]:
    developer = Developer(gateway, key)
    with ThreadPoolExecutor(10) as pool:
        return Counter(pool.map(lambda _: developer.ask().status_code, range(CALLS)))


def test_a_revoked_key_is_refused_at_once_by_both(two_workers: Server, make_two: Make) -> None:
    key = make_two("key", "NAME=rosa").stdout.strip()
    assert statuses(two_workers, key) == {200: CALLS}, "both workers know the key now"
    assert make_two("revoke", "NAME=rosa").returncode == 0
    assert statuses(two_workers, key) == {401: CALLS}


def test_a_replaced_key_is_refused_at_once_by_both(two_workers: Server, make_two: Make) -> None:
    key = make_two("key", "NAME=saul").stdout.strip()
    assert statuses(two_workers, key) == {200: CALLS}
    new = make_two("key", "NAME=saul", "ROTATE=1").stdout.strip()
    assert statuses(two_workers, key) == {401: CALLS}
    assert statuses(two_workers, new) == {200: CALLS}


def test_changed_settings_hold_on_both(two_workers: Server, make_two: Make) -> None:
    key = make_two("key", "NAME=tina", "MODELS=stackspot").stdout.strip()
    assert statuses(two_workers, key) == {200: CALLS}
    assert make_two("key", "NAME=tina", "UPDATE=1", "MODELS=stackspot-code").returncode == 0
    assert statuses(two_workers, key) == {403: CALLS}


def test_a_rate_limit_is_one_for_both(two_workers: Server, make_two: Make) -> None:
    key = make_two("key", "NAME=uma", "RPM=7").stdout.strip()
    assert statuses(two_workers, key) == {200: 7, 429: CALLS - 7}


def test_both_are_counted_together_and_the_pace_once(
    two_workers: Server, make_two: Make, simulator: Simulator, metrics_port: int
) -> None:
    def shown() -> dict[str, float]:
        page = httpx.get(f"http://127.0.0.1:{metrics_port}/metrics/", timeout=30, trust_env=False)
        families = text_string_to_metric_families(page.text)
        found: defaultdict[str, float] = defaultdict(float)
        for sample in (sample for family in families for sample in family.samples):
            assert sample.name.startswith("litellm_") or "pid" not in sample.labels, sample
            found[sample.name] += sample.value
        return found

    before = shown()
    key = make_two("key", "NAME=walt").stdout.strip()
    assert statuses(two_workers, key) == {200: CALLS}
    after = shown()
    for name in ("stackspot_requests_total", "stackspot_upstream_requests_total", "stackspot_queue_seconds_count"):
        renewed = after["stackspot_token_renewals_total"] - before["stackspot_token_renewals_total"]
        more = renewed if name == "stackspot_upstream_requests_total" else 0
        assert after[name] - before[name] == CALLS + more, name
    assert len(simulator.requests("/chat")) == CALLS
    eventually(lambda: shown()["stackspot_limit_requests_per_minute"] == 6000, "both workers know one pace")


def test_the_guard_stands_in_front_of_both(two_workers: Server, make_two: Make) -> None:
    """Every worker builds an app of its own; a route that leads to another vendor is open in none."""
    developer = Developer(two_workers, make_two("key", "NAME=vera").stdout.strip())
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: developer.get("/openai/v1/files"), range(CALLS)))
    assert Counter(answer.status_code for answer in answers) == {404: CALLS}
    assert all("There is no GET /openai/v1/files in this gateway" in answer.text for answer in answers)
