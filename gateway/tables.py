"""Tables for a terminal, and how amounts and times are written in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.processes import ALL_NAMES

UNIT = "million tokens at the default price"


def render(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns that hold numbers only are aligned to the right."""
    columns = list(zip(header, *rows, strict=True))
    numeric = [all(_is_number(cell) for cell in cells) and bool(cells) for _, *cells in columns]
    widths = [max(map(len, column)) for column in columns]
    lines = []
    for row in (header, *rows):
        cells = zip(row, widths, numeric, strict=True)
        lines.append("  ".join(cell.rjust(w) if right else cell.ljust(w) for cell, w, right in cells).rstrip())
    return "\n".join(lines)


def print_json(value: Any) -> None:
    """For a script; also where the terminal knows ASCII only."""
    print(json.dumps(value, indent=2))


def _is_number(cell: str) -> bool:
    return cell in ("", "-") or cell.replace(",", "").replace(".", "", 1).isdecimal()


def amount(value: float | None) -> str:
    """A spend or a budget, to the token but without needless zeros."""
    return "-" if value is None else f"{value:.6f}".rstrip("0").rstrip(".") or "0"


def count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def day(moment: str | None) -> str:
    return moment[:10] if moment else "-"


def budget(record: Mapping[str, Any]) -> str:
    if record["max_budget"] is None:
        return "-"
    period = record["budget_duration"]
    return amount(record["max_budget"]) + (f" / {period}" if period else "")


def rates(record: Mapping[str, Any]) -> str:
    limits = [
        f"{record[field]:,} {what}"
        for field, what in (("rpm_limit", "requests"), ("tpm_limit", "tokens"))
        if record[field] is not None
    ]
    return f"{' and '.join(limits)} a minute" if limits else "no limit"


def models(names: Sequence[str]) -> str:
    if set(names) == set(ALL_NAMES):
        return "all six names"
    return ",".join(names) or "all"
