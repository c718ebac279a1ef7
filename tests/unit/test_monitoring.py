"""docs/monitoring.md, the dashboard, the alerts and the code name the same things."""

import json
import re

import pytest
import yaml
from prometheus_client import CollectorRegistry

from custom_handlers.core import telemetry
from custom_handlers.core.events import Usage
from custom_handlers.metrics import Metrics
from custom_handlers.pacing.quota import Quota, Status
from tests.harness import ROOT

PAGE = (ROOT / "docs" / "monitoring.md").read_text()
DASHBOARD = json.loads((ROOT / "deploy" / "monitoring" / "grafana" / "gateway.json").read_text())
ALERTS = yaml.safe_load((ROOT / "deploy" / "monitoring" / "alerts.yml").read_text())["groups"][0]["rules"]
EXPRESSIONS = [
    *(target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]),
    *(alert["expr"] for alert in ALERTS),
]


@pytest.fixture(scope="module")
def metrics() -> dict[str, list[str]]:
    """Our own, with their labels."""
    registry = CollectorRegistry()
    counted = Metrics(registry)
    for happening in (
        telemetry.RequestFinished("m", "answered", 1, 1, False, "ana", Usage(1, 1)),
        telemetry.UpstreamAnswered("m", 1, 1),
    ):
        counted.count(happening)
    status = Status(rate=1, waiting=0, gone=0, last_429=None, shared=False, keys={})
    counted.show("", (Quota(1), status))
    found = {}
    for family in registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = [label for label in family.samples[-1].labels if label != "le"]
    return found


def table(heading: str) -> list[list[str]]:
    rows = re.findall(r"^\| (.*) \|$", PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0], re.MULTILINE)
    return [[cell.strip() for cell in row.split(" |")] for row in rows[1:] if not row.startswith("---")]


def test_the_page_has_each_metric_with_its_labels(metrics: dict[str, list[str]]) -> None:
    told = {name.strip("`"): re.findall(r"`(\w+)`", labels) for name, labels, _ in table("The gateway's own metrics")}
    assert told == metrics


def test_the_page_has_each_panel_with_its_question() -> None:
    assert table("The dashboard") == [[panel["title"], panel["description"]] for panel in DASHBOARD["panels"]]


def test_the_page_has_a_figure_for_each_panel() -> None:
    rows = table("What it showed")
    assert [title for title, _ in rows] == [panel["title"] for panel in DASHBOARD["panels"]]
    assert [title for title, told in rows if not re.search(r" [\d.,]+", told)] == []


def test_the_page_has_each_alert() -> None:
    assert [name.strip("`") for name, _ in table("Alerts")] == [alert["alert"] for alert in ALERTS]
    assert all(alert["annotations"]["summary"].endswith(".") for alert in ALERTS)


def test_expressions_are_about_metrics_that_there_are(metrics: dict[str, list[str]]) -> None:
    named = {name for text in EXPRESSIONS for name in re.findall(r"\bstackspot_\w+", text)}
    assert {name.removesuffix("_bucket") for name in named} <= set(metrics)
    assert named


def test_litellm_is_told_which_labels_a_client_could_write() -> None:
    """Read from LiteLLM itself, so that a label that a new version brings is decided about."""
    from litellm.types.integrations.prometheus import UserAPIKeyLabelNames

    settings = yaml.safe_load((ROOT / "litellm_config.yaml").read_text())["litellm_settings"]
    kept = {label.value for label in UserAPIKeyLabelNames} - set(settings["prometheus_exclude_labels"])
    assert kept == {
        *("api_key_alias", "team_alias", "model", "requested_model", "model_group", "litellm_model_name"),
        *("api_provider", "exception_status", "exception_class", "rate_limit_category", "rate_limit_type"),
        *("status_code", "fallback_model", "callback_name", "stream", "input_sequence_length"),
    }
