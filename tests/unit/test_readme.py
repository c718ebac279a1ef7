"""The README holds: its example runs, its commands exist, and it knows every variable and target there is."""

import re
import subprocess
import sys
from pathlib import Path

from simulator.client import Simulator
from tests.harness import AGENTS, ROOT, Account, clean_environment

README = (ROOT / "README.md").read_text()


def test_the_python_example_runs(simulator: Simulator, account: Account, tmp_path: Path) -> None:
    [example] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    script = tmp_path / "example.py"
    script.write_text(example.replace("litellm.completion(", "answer = litellm.completion(") + "print(answer)\n")
    environ = clean_environment({**account.for_gateway(simulator.url), "PYTHONPATH": str(ROOT)})
    run = subprocess.run([sys.executable, script], env=environ, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "simulated answer" in run.stdout
    [asked] = simulator.requests("/v1/agent/")
    assert asked["path"].endswith(f"{AGENTS['stackspot-ai-code']}/chat")
    assert asked["body"]["user_prompt"] == "Hi"


def test_every_make_target_is_told() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    told = set(re.findall(r"(?:^|`)make ([a-z][a-z-]+)", README, re.MULTILINE))
    told |= set(re.findall(r"(?<=make lint )[a-z]+", README))
    assert targets - told == set(), "targets of the Makefile that the README does not name"
    assert told - targets == set(), "targets that the README names and the Makefile does not have"


def test_every_variable_is_told() -> None:
    variables = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    missing = {name for name in variables if not re.search(rf"\b{name}\b", README)}
    assert missing == set(), "variables of .env.example that the README does not name"


def test_links_to_files_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_test_that_is_named_is_there() -> None:
    text = (ROOT / "docs" / "robustness.md").read_text()
    named = re.findall(r"`(tests/[\w/.]+?)`", text)
    assert len(named) > 40
    assert [path for path in named if not (ROOT / path).exists()] == []
