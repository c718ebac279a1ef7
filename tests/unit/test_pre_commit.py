"""The checks before a commit run what `make install` brings, and nothing else."""

import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness import ROOT

CONFIGURATION = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
HOOKS: list[dict[str, Any]] = [hook for repo in CONFIGURATION["repos"] for hook in repo["hooks"]]
hooks = pytest.mark.parametrize("hook", HOOKS, ids=[hook["id"] for hook in HOOKS])


def test_nothing_is_downloaded() -> None:
    assert [repo["repo"] for repo in CONFIGURATION["repos"]] == ["local"]
    assert {hook["language"] for hook in HOOKS} == {"system"}


@hooks
def test_what_it_runs_is_there(hook: dict[str, Any]) -> None:
    program, *arguments = shlex.split(hook["entry"])
    assert (ROOT / program).is_file()
    assert [path for path in arguments if "/" in path and not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", ["ruff-check", "ruff-format"])
def test_a_broken_file_stops_the_commit(name: str, tmp_path: Path) -> None:
    [entry] = [hook["entry"] for hook in HOOKS if hook["id"] == name]
    for text, good in (("x = 1\n", True), ("x = (\n", False)):
        path = tmp_path / "changed.py"
        path.write_text(text)
        done = subprocess.run([*shlex.split(entry), path], cwd=ROOT, capture_output=True, check=False)
        assert (done.returncode == 0) is good, done.stdout
