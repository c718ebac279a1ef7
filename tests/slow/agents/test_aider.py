"""aider, a coding assistant that others wrote, edits a file in a git repository through the gateway."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.client import Simulator
from tests.gateway.installing import one_at_a_time
from tests.harness import AGENTS, Server, clean_environment
from tests.slow.agents.installing import install_python_clients

BEFORE = '''def add(a, b):
    """The sum of both."""
    return a - b
'''
ANSWER = """The sum was a difference. This makes it one:

calc.py
```python
<<<<<<< SEARCH
    return a - b
=======
    return a + b
>>>>>>> REPLACE
```
"""


@pytest.fixture(scope="module")
def aider() -> Path:
    if sys.version_info >= (3, 13):
        pytest.skip("aider needs Python 3.12 or older")
    with one_at_a_time("aider"):
        return install_python_clients("aider") / "aider"


def test_aider_edits_a_file(aider: Path, gateway: Server, simulator: Simulator, tmp_path: Path) -> None:
    repository, home = tmp_path / "repository", tmp_path / "home"
    repository.mkdir()
    home.mkdir()
    environ = clean_environment(
        {
            "HOME": str(home),
            "OPENAI_API_BASE": f"{gateway.url}/v1",
            "OPENAI_API_KEY": gateway.key,
            "GIT_AUTHOR_NAME": "Somebody",
            "GIT_AUTHOR_EMAIL": "somebody@example.org",
            "GIT_COMMITTER_NAME": "Somebody",
            "GIT_COMMITTER_EMAIL": "somebody@example.org",
            "NO_PROXY": "127.0.0.1",
            "PATH": os.environ["PATH"],
        }
    )

    def run(*command: str) -> str:
        done = subprocess.run(
            command, cwd=repository, env=environ, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        return done.stdout

    (repository / "calc.py").write_text(BEFORE)
    run("git", "init", "--quiet")
    run("git", "add", "calc.py")
    run("git", "commit", "--quiet", "--message", "A calculator")
    # aider asks for the edit as a stream, and for the commit's message not.
    simulator.rule("fix: Add instead of subtracting", when="commit message")
    simulator.rule(ANSWER, when="SEARCH/REPLACE")

    offline = ["--no-check-update", "--no-analytics", "--no-show-model-warnings", "--no-show-release-notes"]
    said = run(
        str(aider),
        *("--model", "openai/stackspot-code", "--edit-format", "diff"),
        *("--message", "add() subtracts: fix it.", "--yes-always", "--no-pretty", *offline),
        "calc.py",
    )

    assert (repository / "calc.py").read_text() == BEFORE.replace("a - b", "a + b")
    assert "Applied edit to calc.py" in said
    assert run("git", "log", "--format=%s").splitlines() == ["fix: Add instead of subtracting", "A calculator"]
    assert run("git", "show", "--format=", "--stat", "HEAD").splitlines()[0].split()[0] == "calc.py"
    records = simulator.requests("/v1/agent/")
    assert len(records) >= 2  # aider asks again when an answer takes long
    assert {record["path"] for record in records} == {f"/v1/agent/{AGENTS['stackspot-ai-code']}/chat"}
    assert all(record["complete"] for record in records)
    assert BEFORE in records[0]["body"]["user_prompt"]
