"""Debian's Prometheus, scraping one gateway with the repository's rules and a shorter interval."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.harness import ROOT, clean_environment, free_port, process
from tests.waiting import eventually

MONITORING = ROOT / "deploy" / "monitoring"
LACKING = "needs Prometheus: apt-get install prometheus, or brew install prometheus"
INTERVAL = "1s"


def installed() -> bool:
    return all(map(shutil.which, ("prometheus", "promtool")))


class Prometheus:
    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **parameters: Any) -> Any:
        """What its API answers. Raises AssertionError with its own words where it does not."""
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=30, trust_env=False)
        body = answer.json()
        assert body["status"] == "success", f"{parameters}: {body.get('error')}"
        return body["data"]

    def query(self, expression: str) -> dict[str, float]:
        """The value of each series now, by its labels as JSON."""
        found = self.get("query", query=expression)["result"]
        return {json.dumps(series["metric"], sort_keys=True): float(series["value"][1]) for series in found}

    def number(self, expression: str) -> float:
        """The value of the one series that there is; 0 where there is none."""
        found = list(self.query(expression).values())
        assert len(found) <= 1, found
        return found[0] if found else 0.0

    def by(self, label: str, expression: str) -> dict[str, float]:
        return {json.loads(labels).get(label, ""): value for labels, value in self.query(expression).items()}

    def range(self, expression: str, start: float, end: float, step: float) -> list[Any]:
        found: list[Any] = self.get("query_range", query=expression, start=start, end=end, step=step)["result"]
        return found


@contextmanager
def running_prometheus(metrics_port: int, folder: Path) -> Iterator[Prometheus]:
    folder.mkdir(parents=True, exist_ok=True)
    settings = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    settings["global"] = {"scrape_interval": INTERVAL, "evaluation_interval": INTERVAL}
    settings["rule_files"] = [str(MONITORING / "alerts.yml")]
    settings["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{metrics_port}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    log = folder / "prometheus.log"
    with process(command, clean_environment({}), log) as running:
        prometheus = Prometheus(f"http://127.0.0.1:{port}")
        eventually(lambda: running.poll() is not None or _ready(prometheus.url), "Prometheus is ready")
        assert running.poll() is None, log.read_text()
        yield prometheus


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
