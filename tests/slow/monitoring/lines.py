"""The lines of a panel: what a real Prometheus answers to its expressions, as Grafana would draw it."""

from dataclasses import dataclass
from typing import Any

from tests.slow.monitoring.dashboard import Panel
from tests.slow.monitoring.prometheus import Prometheus

STEP, WINDOW = 2, "20s"


@dataclass(frozen=True)
class Line:
    legend: str
    points: list[tuple[float, float]]

    @property
    def highest(self) -> float:
        return max(value for _, value in self.points)


def lines_of(panel: Panel, prometheus: Prometheus, start: float, end: float) -> list[Line]:
    """The highest first."""
    lines = []
    for target in panel.targets:
        for series in prometheus.range(target.over(WINDOW), start, end, STEP):
            points = [(float(at), float(value)) for at, value in series["values"] if value not in ("NaN", "+Inf")]
            if points:
                lines.append(Line(_legend(target.legend, series["metric"]), points))
    return sorted(lines, key=lambda line: -line.highest)


def number(value: float, unit: str) -> str:
    if unit == "percentunit":
        return f"{value:.0%}"
    shown = f"{value:.3g}" if value < 1000 else f"{value:,.0f}"
    return f"{shown} s" if unit == "s" else shown


def _legend(template: str, labels: dict[str, Any]) -> str:
    for name, value in labels.items():
        template = template.replace("{{" + name + "}}", value)
    return template
