"""`prisma generate` without a download: npm's packages from our lock, the client written beside the installed one."""

import shutil
import subprocess
import sys
from pathlib import Path

import prisma

from tests.harness import ROOT

GENERATE = """
import os
from database.prisma_engine import generate

generate(os.environ)
"""


def test_it_writes_the_client_once(variables: dict[str, str], tmp_path: Path) -> None:
    package = tmp_path / "prisma"
    shutil.copytree(Path(prisma.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for template in package.glob("generator/templates/**/[!_]*.py.jinja"):
        written = package / template.relative_to(package / "generator" / "templates").with_suffix("")
        written.unlink()  # as if it had never been generated
    (package / ".generated").unlink()
    environ = {**variables, "PYTHONPATH": f"{tmp_path}:{ROOT}", "HOME": str(tmp_path)}

    def run() -> str:
        done = subprocess.run(
            [sys.executable, "-c", GENERATE], env=environ, capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Generating LiteLLM's database client (once)" in run()
    assert "class LiteLLM_VerificationToken" in (package / "models.py").read_text()
    time = (package / "client.py").stat().st_mtime_ns
    assert run() == ""
    assert (package / "client.py").stat().st_mtime_ns == time
