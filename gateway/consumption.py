"""What was used in a period, exact to the request in every time zone.

LiteLLM's daily totals are of UTC days. They count for the days that are whole in UTC too; of the rest of the period,
and where the totals do not say enough, every request is read from LiteLLM's log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from custom_handlers.core.models import canonical_model_name
from gateway.failures import GatewayError
from gateway.management import Gateway
from gateway.periods import Period

PAGE_SIZE = 50
LOG_PAGE_SIZE = 1000  # LiteLLM's most
WINDOW = timedelta(days=1)
READINGS = 3


@dataclass
class Consumption:
    requests: int = 0
    failed: int = 0
    read: int = 0
    written: int = 0
    tokens: int = 0
    spend: float = 0.0

    def add(self, other: Consumption) -> None:
        self.requests += other.requests
        self.failed += other.failed
        self.read += other.read
        self.written += other.written
        self.tokens += other.tokens
        self.spend += other.spend

    @property
    def counts(self) -> tuple[int, int, int, int, int]:
        return self.requests, self.failed, self.read, self.written, self.tokens


Found = dict[str | None, Consumption]
Key = Callable[[Mapping[str, Any]], str | None]


def by_developer(gateway: Gateway, period: Period) -> Found:
    first, behind = period.whole_utc_days()
    found: Found = {}
    if first < behind:
        for row in _daily(gateway, str(first), str(behind - timedelta(days=1))):
            _add(found, row["user_id"] or None, _of_totals(row))
    edges = [(period.begin, _midnight(first)), (_midnight(behind), period.end)] if first < behind else []
    for begin, end in edges or [(period.begin, period.end)]:
        for row in requests(gateway, begin, end):
            _add(found, row["user"] or None, _of_request(row))
    return found


def by_team(gateway: Gateway, period: Period) -> Found:
    return _by_request(gateway, period, lambda row: row["team_id"] or None)


def by_model(gateway: Gateway, period: Period) -> Found:
    """By a model's own name: an alias is the same model."""
    return _by_request(gateway, period, lambda row: _model(row) or None)


def by_day(gateway: Gateway, period: Period) -> Found:
    return _by_request(gateway, period, lambda row: period.day(_moment(row)))


def requests(gateway: Gateway, begin: datetime, end: datetime) -> Iterator[Mapping[str, Any]]:
    """LiteLLM's line for each request that began in this time."""
    while begin < min(end, datetime.now(UTC)):
        until = min(begin + WINDOW, end)
        yield from _window(gateway, begin, until)
        begin = until


def _window(gateway: Gateway, begin: datetime, end: datetime) -> list[Mapping[str, Any]]:
    """Pages may shift while requests are written or begin at one moment, so it is read until all are there."""
    rows: dict[str, Mapping[str, Any]] = {}
    for _ in range(READINGS):
        page = pages = 1
        while page <= pages:
            answer = gateway.get(
                "/spend/logs/v2",
                start_date=_text(begin),
                end_date=_text(end),
                sort_by="startTime",
                sort_order="asc",
                page=page,
                page_size=LOG_PAGE_SIZE,
            )
            rows |= {row["request_id"]: row for row in answer["data"]}
            page, pages = page + 1, answer["total_pages"]
        if len(rows) >= answer["total"]:
            return [row for row in rows.values() if begin <= _moment(row) < end]
    raise GatewayError("The requests changed while they were read: try again.")


def _by_request(gateway: Gateway, period: Period, key: Key) -> Found:
    found: Found = {}
    for row in requests(gateway, period.begin, period.end):
        _add(found, key(row), _of_request(row))
    return found


def _add(found: Found, name: str | None, used: Consumption) -> None:
    found.setdefault(name, Consumption()).add(used)


def _daily(gateway: Gateway, first: str, last: str) -> Iterator[Mapping[str, Any]]:
    offset, total = 0, 1
    while offset < total:
        answer = gateway.get(
            "/user/daily/activity/aggregated/users", start_date=first, end_date=last, offset=offset, limit=PAGE_SIZE
        )
        yield from answer["users"]
        offset, total = offset + PAGE_SIZE, answer["total_users"]


def _of_totals(row: Mapping[str, Any]) -> Consumption:
    names = ("api_requests", "failed_requests", "prompt_tokens", "completion_tokens", "total_tokens")
    calls, failed, read, written, tokens = (int(row[name]) for name in names)
    return Consumption(calls, failed, read, written, tokens, row["spend"])


def _of_request(row: Mapping[str, Any]) -> Consumption:
    read, written, tokens = (int(row[name] or 0) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
    return Consumption(1, int(row["status"] == "failure"), read, written, tokens, row["spend"] or 0.0)


def _model(row: Mapping[str, Any]) -> str:
    return canonical_model_name(row["model_group"] or row["model"] or "")


def _moment(row: Mapping[str, Any]) -> datetime:
    moment = datetime.fromisoformat(row["startTime"])
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _midnight(day: Any) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
