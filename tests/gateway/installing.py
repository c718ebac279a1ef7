"""Installs the npm packages that the tests drive, once for each lock file."""

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.harness import ROOT

CLIENTS = ROOT / "tests" / "gateway" / "clients"


def install_node_modules() -> None:
    """The packages of tests/gateway/clients/package-lock.json, installed beside it."""
    if not (npm := shutil.which("npm")):
        pytest.skip("needs Node.js and npm")
    mark = CLIENTS / "node_modules" / ".installed-lock"
    wanted = hashlib.sha256((CLIENTS / "package-lock.json").read_bytes()).hexdigest()
    with one_at_a_time("node_modules"):
        if mark.exists() and mark.read_text() == wanted:
            return
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=CLIENTS, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        mark.write_text(wanted)


@contextmanager
def one_at_a_time(what: str) -> Iterator[None]:
    """Two test runs in one clone must not install into one folder at once."""
    clone = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    with (Path(tempfile.gettempdir()) / f"installing-{what}-{clone}").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
