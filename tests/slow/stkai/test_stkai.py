"""STKAI, a StackSpot client that others wrote, works against the stand-in unchanged."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.client import Simulator
from simulator.identifiers import is_ulid
from tests.harness import ROOT, Account, clean_environment
from tests.unit.simulator.calling import AGENT

HERE = Path(__file__).parent
LOCK = HERE / "requirements-stkai.lock"


@pytest.fixture(scope="module")
def stkai() -> Path:
    """The folder with STKAI as locked; kept between runs, under the lock's hash."""
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    folder = ROOT / ".venv-stkai" / f"{wanted}-{sys.version_info.major}.{sys.version_info.minor}"
    if not folder.exists():
        # Made beside and renamed, so that a killed run leaves nothing that looks finished.
        making = folder.with_name(f"{folder.name}.{os.getpid()}")
        options = [
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "--ignore-requires-python",
            "--disable-pip-version-check",
        ]
        command = [sys.executable, "-m", "pip", "install", *options, "--target", str(making), "-r", str(LOCK)]
        subprocess.run(command, check=True, timeout=240)
        if folder.exists():
            shutil.rmtree(making)
        else:
            making.rename(folder)
    return folder


def test_stkai_works_unchanged(stkai: Path, simulator: Simulator, account: Account, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("some notes")
    simulator.faults(delta_form="full", knowledge=True)
    simulator.rule("plain — answer", when="plain question")
    simulator.rule({"pieces": ["stréamed", " ", "answer"]}, when="streamed question")
    simulator.rule('{"says": "x"}', when='"code"')
    environ = {
        "STKAI_AUTH_CLIENT_ID": account.client_id,
        "STKAI_AUTH_CLIENT_SECRET": account.client_secret,
        "STKAI_AUTH_TOKEN_URL": f"{simulator.url}/{account.realm}/oidc/oauth/token",
        "STKAI_RQC_POLL_INTERVAL": "0.05",
        "NO_PROXY": "127.0.0.1",
    }
    command = [sys.executable, str(HERE / "stkai_drive.py"), str(stkai), simulator.url, AGENT, str(file)]
    # STKAI keeps what it received in files of the working directory.
    run = subprocess.run(
        command, env=clean_environment(environ), cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout)

    assert (seen["plain"], seen["plain_stop"]) == ("plain — answer", "stop")
    assert seen["knowledge"] == ["simulated-knowledge", "stackspot-knowledge"]
    assert seen["pieces"] == ["stréamed", " ", "answer"]
    assert seen["streamed"] == "stréamed answer"
    assert is_ulid(seen["conversation"])
    assert simulator.uploaded(seen["upload"]) == b"some notes"
    assert seen["with_file"]
    assert seen["command"] == {"says": "x"}
    assert seen["stranger"][0]
    assert "403" in seen["stranger"][1]

    token_requests = [record for record in simulator.requests() if record["path"].endswith("/oauth/token")]
    assert {record["status"] for record in token_requests} == {200}
    streamed = [record for record in simulator.requests("chat") if record["body"].get("streaming")]
    assert seen["streamed_tokens"] == streamed[0]["usage"]
    assert not any(record["client_left"] for record in simulator.requests())
