"""`make usage`: what each developer used, from LiteLLM's daily totals. Revoked and expired keys count."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from gateway.addresses import whole
from gateway.management import Failure, Gateway, InputError, run
from gateway.options import together
from gateway.tables import UNIT, amount, count, render

DEFAULT_DAYS = 30
MOST_DAYS = 3650
PAGE_SIZE = 50
NO_USER = "(no developer)"  # health checks, calls without a valid key
HEADER = ("developer", "requests", "failed", "input tokens", "output tokens", "tokens", "spend")


def usage(gateway: Gateway, environ: Mapping[str, str]) -> None:
    days, form = together(lambda: whole(environ, "DAYS", DEFAULT_DAYS, MOST_DAYS), lambda: _format(environ))
    today = datetime.now(UTC).date()
    first = today - timedelta(days=days - 1)
    rows = sorted(_developers(gateway, str(first), str(today)), key=lambda row: (-row["spend"], row["user_id"] or ""))
    if file := environ.get("CSV"):
        try:
            with Path(file).open("w", newline="") as target:
                _write_csv(target, rows)
        except OSError as error:
            raise Failure(f"{file} cannot be written ({error.strerror}).") from None
        print(f"Wrote {len(rows)} rows to {file}.")
    elif form == "csv":
        _write_csv(sys.stdout, rows)
    else:
        _print_table(rows, f"{first} to {today} (UTC)")


def _format(environ: Mapping[str, str]) -> str:
    form = environ.get("FORMAT", "table")
    if form not in ("table", "csv"):
        raise InputError(f"FORMAT is {form!r}: it has to be table or csv.")
    return form


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


if __name__ == "__main__":
    sys.exit(run(usage))
