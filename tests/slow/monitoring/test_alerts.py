"""promtool tries each alert on made-up series: when it fires, with what, and when it must not."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.slow.monitoring.prometheus import LACKING, MONITORING, installed

CASES = Path(__file__).with_name("alerts_test.yml")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    if not installed():
        pytest.skip(LACKING)
    shutil.copy(MONITORING / "alerts.yml", tmp_path)
    shutil.copy(CASES, tmp_path)
    return tmp_path


def promtool(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *words], cwd=folder, capture_output=True, text=True, check=False)


def test_each_alert_fires_when_it_should_and_only_then(rules: Path) -> None:
    checked = promtool(rules, "check", "rules", "alerts.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tried = promtool(rules, "test", "rules", CASES.name)
    assert tried.returncode == 0, tried.stdout + tried.stderr
    alerts = {rule["alert"] for rule in yaml.safe_load((rules / "alerts.yml").read_text())["groups"][0]["rules"]}
    cases = [case for test in yaml.safe_load(CASES.read_text())["tests"] for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == alerts
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} == alerts
