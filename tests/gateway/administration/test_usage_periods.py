"""`make usage BY=...` in the team's time zone: at UTC-3 a request around midnight counts for the day there."""

import csv
import io
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest

from tests.gateway.administration.conftest import Developer, Make
from tests.harness import WITHOUT_TLS, Server

ZONE = ZoneInfo("America/Sao_Paulo")
FLUSH_SECONDS = 90
DAYS = 4
CALLS = {"period-a": ("stackspot-code", "stackspot-ai-code", "stackspot"), "period-b": ("stackspot-code",) * 2}


def rows(make: Make, *words: str) -> dict[str, dict[str, str]]:
    done = make("usage", "FORMAT=csv", *words)
    assert done.returncode == 0, done.stderr
    found = list(csv.DictReader(io.StringIO(done.stdout)))
    return {next(iter(row.values())): row for row in found}


def request_count(table: dict[str, dict[str, str]], name: str) -> int:
    return int(table[name]["requests"]) if name in table else 0


@pytest.fixture
def around_midnight(
    developer: Callable[..., Developer], make: Make, team_gateway: Server, database_variables: dict[str, str]
) -> list[datetime]:
    """Five real calls, whose rows in LiteLLM's tables are then moved to the two sides of midnights of three days ago.

    LiteLLM takes its daily totals' day from a request's start in UTC, and so does the moving.
    """
    assert make("team", "NAME=period-team").returncode == 0
    for name, models in CALLS.items():
        someone = developer(name, *(["TEAM=period-team"] if name == "period-a" else []))
        for model in models:
            assert someone.ask(model=model).status_code == 200
    end = time.monotonic() + FLUSH_SECONDS
    while any(request_count(rows(make), name) < len(models) for name, models in CALLS.items()):
        assert time.monotonic() < end
        time.sleep(1)
    while sum(len(logged(team_gateway, name)) for name in CALLS) < 5:
        assert time.monotonic() < end
        time.sleep(1)
    local = datetime.combine(datetime.now(ZONE).date() - timedelta(days=2), datetime.min.time(), ZONE)
    utc_midnight = local.replace(hour=21)  # midnight in UTC is nine in the evening there
    moments = [
        local - timedelta(seconds=1),
        local,
        utc_midnight - timedelta(milliseconds=1),
        utc_midnight,
        local + timedelta(days=1),
    ]
    with psycopg.connect(database_variables["DATABASE_URL"].partition("?")[0]) as database:
        ids = [row["request_id"] for name in CALLS for row in logged(team_gateway, name)]
        for request_id, moment in zip(ids, moments, strict=True):
            utc = moment.astimezone(UTC).replace(tzinfo=None)
            database.execute('UPDATE "LiteLLM_SpendLogs" SET "startTime" = %s WHERE request_id = %s', (utc, request_id))
        for name in CALLS:  # what LiteLLM's totals would be, had the requests been made then
            database.execute('DELETE FROM "LiteLLM_DailyUserSpend" WHERE user_id = %s', (name,))
            database.execute(
                'INSERT INTO "LiteLLM_DailyUserSpend" (id, user_id, date, api_key, model, model_group,'
                " custom_llm_provider, prompt_tokens, completion_tokens, spend, api_requests, successful_requests,"
                ' failed_requests, updated_at) SELECT request_id, "user", to_char("startTime", \'YYYY-MM-DD\'),'
                " api_key, model, model_group, request_id, prompt_tokens, completion_tokens, spend, 1, 1, 0, now()"
                ' FROM "LiteLLM_SpendLogs" WHERE "user" = %s',
                (name,),
            )
    return moments


def logged(gateway: Server, name: str) -> list[dict[str, Any]]:
    today = datetime.now(UTC).date()
    days = {"start_date": str(today - timedelta(days=DAYS + 1)), "end_date": str(today + timedelta(days=1))}
    found: list[dict[str, Any]] = httpx.get(
        f"{gateway.url}/spend/logs",
        params={**days, "user_id": name, "summarize": "false"},
        headers={"Authorization": f"Bearer {gateway.key}"},
        timeout=60,
        trust_env=False,
        verify=WITHOUT_TLS,
    ).json()
    return sorted(found, key=lambda row: row["startTime"])


def test_a_day_is_the_team_s(around_midnight: list[datetime], make: Make, team_gateway: Server) -> None:
    sao_paulo = rows(make, "BY=day", "TIMEZONE=America/Sao_Paulo", f"DAYS={DAYS}")
    day = around_midnight[1].date()
    counts = [request_count(sao_paulo, str(day + timedelta(days=shift))) for shift in (-1, 0, 1)]
    assert counts == [1, 3, 1]
    utc = rows(make, "BY=day", "TIMEZONE=UTC", f"DAYS={DAYS + 1}")
    counts = [request_count(utc, str(day + timedelta(days=shift))) for shift in (0, 1)]
    assert counts == [3, 2], "where the boundary of LiteLLM's own days is"

    # The period's edges, by developer: from totals and requests together, and from requests alone.
    for days, a, b in ((1, 0, 0), (2, 0, 1), (3, 2, 2), (4, 3, 2)):
        by_developer = rows(make, "TIMEZONE=America/Sao_Paulo", f"DAYS={days}")
        assert (request_count(by_developer, "period-a"), request_count(by_developer, "period-b")) == (a, b), days
        by_team = rows(make, "BY=team", "TIMEZONE=America/Sao_Paulo", f"DAYS={days}")
        assert request_count(by_team, "period-team") == a, days

    by_model = rows(make, "BY=model", "TIMEZONE=America/Sao_Paulo", "DAYS=4")
    assert not {"stackspot", "stackspot-code"} & set(by_model), "an alias counts as its model"
    assert request_count(by_model, "stackspot-ai-code") >= 4
    spent = {name: sum(row["spend"] for row in logged(team_gateway, name)) for name in CALLS}
    assert all(amount > 0 for amount in spent.values())
    by_developer = rows(make, "TIMEZONE=America/Sao_Paulo", "DAYS=4")
    assert {name: float(by_developer[name]["spend"]) for name in CALLS} == pytest.approx(spent)
    by_team = rows(make, "BY=team", "TIMEZONE=America/Sao_Paulo", "DAYS=4")
    assert float(by_team["period-team"]["spend"]) == pytest.approx(spent["period-a"])
    days_spent = [float(sao_paulo[str(day + timedelta(days=shift))]["spend"]) for shift in (-1, 0, 1)]
    assert sum(days_spent) == pytest.approx(sum(spent.values()))


def test_the_zone_is_that_of_the_environment(make: Make) -> None:
    assert "(America/Sao_Paulo)" in make("usage", TZ="America/Sao_Paulo").stdout
    assert "(UTC)" in make("usage", "BY=team", "TIMEZONE=UTC", TZ="America/Sao_Paulo").stdout
