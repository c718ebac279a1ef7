"""The figures of one run, as they are kept in bench/results/gateways.json: medians over alternating rounds."""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gateway.project import ROOT

FILE = ROOT / "bench" / "results" / "gateways.json"


@dataclass(frozen=True)
class Round:
    """One contestant in one round of one cell: answers a second, medians in seconds, CPU seconds for each request."""

    rate: float
    first: float
    total: float
    p95: float
    cpu: float | None
    answers: int


@dataclass(frozen=True)
class Memory:
    """Megabytes of a server and all its processes."""

    start: float
    after: float
    answers: int


@dataclass
class Results:
    """`rounds`: by part of the run (`core`, `database`, `workers`, `beside`), cell and contestant."""

    about: dict[str, Any]
    rounds: dict[str, dict[str, dict[str, list[Round]]]] = field(default_factory=dict)
    deltas: dict[str, dict[str, int]] = field(default_factory=dict)  # that a client got of a stream
    starts: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[str, Memory] = field(default_factory=dict)
    emulation: dict[str, float] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def add(self, part: str, cell: str, contestant: str, one: Round) -> None:
        self.rounds.setdefault(part, {}).setdefault(cell, {}).setdefault(contestant, []).append(one)

    def median(self, part: str, cell: str, contestant: str, figure: str) -> float | None:
        values = self._values(part, cell, contestant, figure)
        return statistics.median(values) if values else None

    def ratio(self, part: str, cell: str, one: str, other: str, figure: str) -> "Ratio | None":
        """Of the rounds that stood next to each other."""
        ones, others = (self._values(part, cell, name, figure) for name in (one, other))
        return Ratio.of([a / b for a, b in zip(ones, others, strict=False) if b])

    def _values(self, part: str, cell: str, contestant: str, figure: str) -> list[float]:
        rounds = self.rounds.get(part, {}).get(cell, {}).get(contestant, [])
        return [value for one in rounds if (value := getattr(one, figure)) is not None]

    def write(self, path: Path = FILE) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(_rounded(asdict(self)), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path = FILE) -> "Results":
        kept = json.loads(path.read_text())
        kept["rounds"] = {
            part: {
                cell: {name: [Round(**one) for one in rounds] for name, rounds in contestants.items()}
                for cell, contestants in cells.items()
            }
            for part, cells in kept["rounds"].items()
        }
        kept["memory"] = {name: Memory(**one) for name, one in kept["memory"].items()}
        return cls(**kept)


@dataclass(frozen=True)
class Ratio:
    """The median of the rounds' ratios, and the least and the greatest of them."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Ratio | None":
        return cls(statistics.median(values), min(values), max(values)) if values else None

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f} to {self.most:.2f})"


def percentile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)]


def _rounded(value: Any) -> Any:
    """Six digits after the point are more than a clock can tell, and keep the file small."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown(value: float | None, form: Callable[[float], str]) -> str:
    return "-" if value is None else form(value)
