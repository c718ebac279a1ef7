"""Writes what was measured into a page: each part stands between two marks, and what is around them stays."""

import re
from collections.abc import Mapping
from pathlib import Path

from gateway.project import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"


def filled(text: str, parts: Mapping[str, str]) -> str:
    """`text` with each part between its marks. Raises LookupError where there are none."""
    for name, part in parts.items():
        between = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        text, found = between.subn(lambda marks, part=part: f"{marks[1]}{part}\n{marks[2]}", text)  # type: ignore[misc]
        if found != 1:
            raise LookupError(f"{PAGE.name} has {found} places for {name}: it needs one.")
    return text


def write(parts: Mapping[str, str], path: Path = PAGE) -> None:
    path.write_text(filled(path.read_text(), parts))
