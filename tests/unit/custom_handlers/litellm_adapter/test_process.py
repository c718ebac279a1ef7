"""What the proxy's own command line says."""

import sys

import pytest

from custom_handlers.litellm_adapter import process


@pytest.mark.parametrize("name", ["PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"])
def test_whether_anybody_reads_its_metrics(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for each in ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"):
        monkeypatch.delenv(each, raising=False)
    assert not process.shares_metrics()
    monkeypatch.setenv(name, "/somewhere")
    assert process.shares_metrics()


@pytest.mark.parametrize(
    ("command", "variable", "workers"),
    [
        (["/bin/litellm", "--port", "1"], "", 1),
        (["/bin/litellm", "--port", "1"], "3", 3),
        (["/bin/litellm", "--num_workers", "2", "--port", "1"], "", 2),
        (["/bin/litellm", "--num_workers", "2"], "3", 2),
        (["/bin/litellm", "--num_workers"], "3", 1),
        (["/bin/litellm"], "many", 1),
        (["/bin/pytest", "--num_workers", "2"], "3", 1),
    ],
)
def test_how_many_workers_there_are(
    monkeypatch: pytest.MonkeyPatch, command: list[str], variable: str, workers: int
) -> None:
    monkeypatch.setattr(sys, "argv", command)
    monkeypatch.setenv("NUM_WORKERS", variable)
    assert process.workers() == workers
