"""The example of docs/in-process.md runs as it stands."""

import subprocess
import sys
from pathlib import Path

from simulator.client import Simulator
from tests.harness import AGENTS, ROOT, Account, clean_environment
from tests.markdown import Page


def test_the_python_example_runs(simulator: Simulator, account: Account, tmp_path: Path) -> None:
    [example] = [text for _, text in Page.read(ROOT / "docs" / "in-process.md").blocks]
    script = tmp_path / "example.py"
    script.write_text(example.replace("litellm.completion(", "answer = litellm.completion(") + "print(answer)\n")
    environ = clean_environment({**account.for_gateway(simulator.url), "PYTHONPATH": str(ROOT)})
    run = subprocess.run([sys.executable, script], env=environ, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "simulated answer" in run.stdout
    [asked] = simulator.requests("/v1/agent/")
    assert asked["path"].endswith(f"{AGENTS['stackspot-ai-code']}/chat")
    assert asked["body"]["user_prompt"] == "Hi"
