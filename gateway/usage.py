"""`usage`: what each developer used, from LiteLLM's daily totals. Revoked and expired keys count."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import click

from gateway.addresses import read_whole
from gateway.failures import GatewayError, InputError
from gateway.management import Gateway, with_gateway
from gateway.options import Command, Value, json_option
from gateway.tables import UNIT, amount, count, print_json, render

DEFAULT_DAYS = 30
MOST_DAYS = 3650
FORMATS = ("table", "csv", "json")
PAGE_SIZE = 50
NO_USER = "(no developer)"  # health checks, calls without a valid key
HEADER = ("developer", "requests", "failed", "input tokens", "output tokens", "tokens", "spend")


def _read_format(label: str, given: str) -> str:
    if given not in FORMATS:
        raise InputError(f"{label} is {given!r}: it has to be table, csv or json.")
    return given


@click.command(cls=Command)
@click.option(
    "--days",
    type=Value("days", lambda label, given: read_whole(label, given, MOST_DAYS)),
    default=str(DEFAULT_DAYS),
    show_default=True,
    metavar="N",
    help="How many days back, today included.",
)
@click.option("--csv", "file", metavar="FILE", help="Write CSV to this file.")
@click.option(
    "--format", type=Value("format", _read_format), default="table", metavar="|".join(FORMATS), help="How to print it."
)
@json_option
@with_gateway
def usage(gateway: Gateway, days: int, file: str | None, format: str, as_json: bool) -> None:
    """Show what each developer used: calls, tokens and spend."""
    today = datetime.now(UTC).date()
    first = today - timedelta(days=days - 1)
    rows = sorted(_developers(gateway, str(first), str(today)), key=lambda row: (-row["spend"], row["user_id"] or ""))
    if file:
        try:
            with Path(file).open("w", newline="") as target:
                _write_csv(target, rows)
        except OSError as error:
            raise GatewayError(f"{file} cannot be written ({error.strerror}).") from None
        print(f"Wrote {len(rows)} rows to {file}.")
    elif as_json or format == "json":
        print_json([_told(row) for row in rows])
    elif format == "csv":
        _write_csv(sys.stdout, rows)
    else:
        _print_table(rows, f"{first} to {today} (UTC)")


def _developers(gateway: Gateway, first: str, last: str) -> Iterator[dict[str, Any]]:
    offset, total = 0, 1
    while offset < total:
        answer = gateway.get(
            "/user/daily/activity/aggregated/users", start_date=first, end_date=last, offset=offset, limit=PAGE_SIZE
        )
        yield from answer["users"]
        offset, total = offset + PAGE_SIZE, answer["total_users"]


def _figures(row: Mapping[str, Any]) -> tuple[int, int, int, int, int]:
    names = ("api_requests", "failed_requests", "prompt_tokens", "completion_tokens", "total_tokens")
    requests, failed, read, written, tokens = (int(row[name]) for name in names)
    return requests, failed, read, written, tokens


def _write_csv(target: IO[str], rows: list[dict[str, Any]]) -> None:
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(name.replace(" ", "_") for name in HEADER)
    writer.writerows((row["user_id"] or NO_USER, *_figures(row), amount(row["spend"])) for row in rows)


def _print_table(rows: list[dict[str, Any]], period: str) -> None:
    if not rows:
        print(f"No usage, {period}. LiteLLM writes it about a minute after a call.")
        return
    figures = [_figures(row) for row in rows]
    lines = [
        (row["user_id"] or NO_USER, *map(count, numbers), amount(row["spend"]))
        for row, numbers in zip(rows, figures, strict=True)
    ]
    totals = [count(sum(column)) for column in zip(*figures, strict=True)]
    lines.append(("total", *totals, amount(sum(row["spend"] for row in rows))))
    print(f"Usage, {period}\n")
    print(render(HEADER, lines))
    print(f"\nspend: {UNIT}. LiteLLM writes it about a minute after a call.")


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    names = (name.replace(" ", "_") for name in HEADER)
    return dict(zip(names, (row["user_id"], *_figures(row), round(row["spend"], 6)), strict=True))
