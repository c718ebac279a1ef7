"""Writes into docs/monitoring.md what each panel showed while the picture was taken: its lines' highest values."""

import re

from tests.harness import ROOT
from tests.slow.monitoring.dashboard import Panel
from tests.slow.monitoring.lines import Line, number

PAGE = ROOT / "docs" / "monitoring.md"
HEAD = "| Panel | The highest figures in the picture |\n|---|---|\n"
_TABLE = re.compile(re.escape(HEAD) + r"(?:\|.*\n)*")
_WIDTH = 120
_MADE_UP = re.compile(r"-[0-9a-f]{6}(?=-laptop)")  # of the developers' names (tests/developers.py)


def write(found: list[tuple[Panel, list[Line]]]) -> None:
    text, count = _TABLE.subn(lambda _: HEAD + "".join(map(_row, found)), PAGE.read_text())
    assert count == 1, f"{PAGE} has no place for the table"
    PAGE.write_text(text)


def _row(found: tuple[Panel, list[Line]]) -> str:
    """As many of the lines as fit, the highest first."""
    panel, lines = found
    row = f"| {panel.title} | "
    cells = [f"{_MADE_UP.sub('', line.legend)} {number(line.highest, panel.unit)}" for line in lines]
    while cells and len(row) + len("; ".join(cells)) + 2 > _WIDTH:
        cells.pop()
    return f"{row}{'; '.join(cells) or 'none'} |\n"
