"""STACKSPOT_KEEP_REQUEST_LOG deletes requests that are older, and nothing else; the cron line runs each minute here."""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from custom_handlers.core.models import PRICE_PER_TOKEN
from simulator.client import Simulator
from tests.developers import Developer, ask, hire, spend
from tests.harness import ROOT, Account, Server, running_gateway
from tests.waiting import eventually

ROWS = 'SELECT count(*), count(*) FILTER (WHERE "startTime" < now() - interval \'24 hours\') FROM "LiteLLM_SpendLogs"'
CRON = re.compile(r"(?<=maximum_spend_logs_cleanup_cron: )\".*?\"")


@pytest.fixture(scope="module")
def forgetting(
    account: Account,
    simulator_server: Server,
    database_variables: dict[str, str],
    logs: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    config = tmp_path_factory.mktemp("retention") / "litellm_config.yaml"
    text, count = CRON.subn('"* * * * *"', (ROOT / "litellm_config.yaml").read_text())
    assert count == 1
    config.write_text(text)
    environ = {**account.for_gateway(simulator_server.url), **database_variables, "STACKSPOT_KEEP_REQUEST_LOG": "24h"}
    environ |= {"LITELLM_SALT_KEY": secrets.token_urlsafe(24)}
    with running_gateway(environ, logs / "retention.log", config=config) as server:
        yield server


def test_older_requests_go_and_spend_stays(
    forgetting: Server, simulator: Simulator, database_variables: dict[str, str]
) -> None:
    developer = hire(forgetting)
    answers = [ask(forgetting, developer) for _ in range(4)]
    paid = pytest.approx(sum(answer.json()["usage"]["total_tokens"] for answer in answers) * PRICE_PER_TOKEN)
    with psycopg.connect(database_variables["DATABASE_URL"].partition("?")[0], autocommit=True) as database:
        eventually(lambda: rows(database, developer) == (4, 0), "all are logged")
        eventually(lambda: spend(forgetting, developer) == paid, "all are booked")
        database.execute(
            'UPDATE "LiteLLM_SpendLogs" SET "startTime" = now() - interval \'25 hours\' WHERE request_id IN'
            ' (SELECT request_id FROM "LiteLLM_SpendLogs" WHERE api_key = %s LIMIT 3)',
            (developer.token,),
        )
        eventually(lambda: rows(database, developer) == (1, 0), "the older ones are deleted", seconds=100)
    assert spend(forgetting, developer) == paid


def rows(database: "psycopg.Connection[tuple[int, int]]", developer: Developer) -> tuple[int, int]:
    """How many requests there are, and how many of them are too old."""
    found = database.execute(f"{ROWS} WHERE api_key = %s", (developer.token,)).fetchone()
    return found or (0, 0)
