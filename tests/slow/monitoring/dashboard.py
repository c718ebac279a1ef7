"""The panels of the dashboard, as Grafana reads them from deploy/monitoring."""

import json
from dataclasses import dataclass

from tests.slow.monitoring.prometheus import MONITORING

DASHBOARD = MONITORING / "grafana" / "gateway.json"


@dataclass(frozen=True)
class Target:
    expression: str
    legend: str

    def over(self, window: str) -> str:
        """The expression, with what Grafana would choose for its window."""
        return self.expression.replace("$__rate_interval", window)


@dataclass(frozen=True)
class Panel:
    title: str
    question: str
    unit: str
    targets: tuple[Target, ...]


def panels() -> list[Panel]:
    return [
        Panel(
            panel["title"],
            panel["description"],
            panel["fieldConfig"]["defaults"]["unit"],
            tuple(Target(target["expr"], target["legendFormat"]) for target in panel["targets"]),
        )
        for panel in json.loads(DASHBOARD.read_text())["panels"]
    ]
