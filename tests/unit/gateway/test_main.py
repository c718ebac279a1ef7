"""`python -m gateway` by a Python that has none of the packages it needs, as the system's mostly is."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness import ROOT, clean_environment


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "gateway", tmp_path / "gateway")
    return tmp_path


def run(clone: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-S", "-m", "gateway", "keys", "create", "a b"],  # -S: without site-packages
        cwd=clone, env=clean_environment({}), capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_it_says_how_to_have_them(clone: Path) -> None:
    done = run(clone)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "(click, dotenv, httpx)" in done.stderr
    assert done.stderr.endswith(": python3 -m gateway.install .venv-admin requirements-admin.lock\n")


@pytest.mark.parametrize("folder", [".venv", ".venv-admin"])
def test_one_that_has_them_goes_on(clone: Path, folder: str) -> None:
    python = clone / folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nprintf "%s|" "$@"\nexit 7\n')
    python.chmod(0o755)
    assert run(clone).returncode == 1, "it is not installed to its end"
    (clone / folder / ".installed").touch()
    done = run(clone)
    assert (done.returncode, done.stdout) == (7, "-m|gateway|keys|create|a b|")
