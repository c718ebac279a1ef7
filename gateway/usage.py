"""`usage`: what each developer, team or model used, or what was used on each day. Revoked and expired keys count."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import IO, Any

import click

from gateway.addresses import read_whole
from gateway.consumption import Consumption, Found, by_day, by_developer, by_model, by_team
from gateway.failures import GatewayError, InputError
from gateway.management import Gateway, with_gateway
from gateway.options import Command, Value, json_option
from gateway.periods import Period, local_zone, read_zone, recent
from gateway.tables import UNIT, amount, count, print_json, render

DEFAULT_DAYS = 30
MOST_DAYS = 3650
FORMATS = ("table", "csv", "json")
BY: dict[str, Callable[[Gateway, Period], Found]] = {
    "developer": by_developer,
    "team": by_team,
    "model": by_model,
    "day": by_day,
}
FIGURES = ("requests", "failed", "input tokens", "output tokens", "tokens", "spend")
Row = tuple[str | None, Consumption]  # without a name: health checks, calls without a valid key


def _read_format(label: str, given: str) -> str:
    if given not in FORMATS:
        raise InputError(f"{label} is {given!r}: it has to be table, csv or json.")
    return given


def _read_by(label: str, given: str) -> str:
    if given not in BY:
        raise InputError(f"{label} is {given!r}: it has to be developer, team, model or day.")
    return given


@click.command(cls=Command)
@click.option("--by", type=Value("by", _read_by), default="developer", metavar="|".join(BY), help="Whose use.")
@click.option(
    "--timezone",
    type=Value("timezone", read_zone),
    metavar="ZONE",
    help="Whose days, like America/Sao_Paulo; else those of TZ or of this machine.",
)
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
def usage(
    gateway: Gateway, by: str, timezone: tzinfo | None, days: int, file: str | None, format: str, as_json: bool
) -> None:
    """Show what was used: calls, tokens and spend."""
    period = recent(days, timezone or local_zone())
    rows = _sorted(BY[by](gateway, period).items(), by)
    if file:
        try:
            with Path(file).open("w", newline="") as target:
                _write_csv(target, by, rows)
        except OSError as error:
            raise GatewayError(f"{file} cannot be written ({error.strerror}).") from None
        print(f"Wrote {len(rows)} {'row' if len(rows) == 1 else 'rows'} to {file}.")
    elif as_json or format == "json":
        print_json([_told(by, row) for row in rows])
    elif format == "csv":
        _write_csv(sys.stdout, by, rows)
    else:
        _print_table(by, rows, str(period))


def _sorted(rows: Iterable[Row], by: str) -> list[Row]:
    if by == "day":
        return sorted(rows, key=lambda row: row[0] or "")
    return sorted(rows, key=lambda row: (-row[1].spend, row[0] or ""))


def _names(by: str) -> list[str]:
    return [name.replace(" ", "_") for name in (by, *FIGURES)]


def _write_csv(target: IO[str], by: str, rows: Sequence[Row]) -> None:
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(_names(by))
    writer.writerows((name or f"(no {by})", *used.counts, amount(used.spend)) for name, used in rows)


def _print_table(by: str, rows: Sequence[Row], period: str) -> None:
    if not rows:
        print(f"No usage, {period}. LiteLLM writes it about a minute after a call.")
        return
    total = Consumption()
    for _, used in rows:
        total.add(used)
    lines = [
        (name, *map(count, used.counts), amount(used.spend))
        for name, used in [*((name or f"(no {by})", used) for name, used in rows), ("total", total)]
    ]
    print(f"Usage, {period}\n")
    print(render((by, *FIGURES), lines))
    print(f"\nspend: {UNIT}. LiteLLM writes it about a minute after a call.")


def _told(by: str, row: Row) -> dict[str, Any]:
    name, used = row
    return dict(zip(_names(by), (name, *used.counts, round(used.spend, 6)), strict=True))
