"""canitoolcall's probe of a live service, where it is installed: a second opinion that is not ours."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from gateway.doctor.results import Result, note, ok, warning

NAME = "canitoolcall"
REQUESTS = 18
_KEY = "CANITOOLCALL_API_KEY"
_SECONDS = 30 * 60


def installed() -> bool:
    return importlib.util.find_spec(NAME) is not None


def check(url: str, key: str, model: str) -> Result:
    """One line for one model; what the probe prints stays unseen, as it cites the model."""
    name = f"{NAME} of {model}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        command = [
            *(sys.executable, "-m", NAME, "probe", "--base-url", f"{url}/v1", "--model", model, "--concurrency", "1"),
            *("--api-key-env", _KEY, "--allow-insecure", "--timeout", "180", "--json", str(file)),
        ]
        try:
            subprocess.run(
                command, env={**os.environ, _KEY: key}, capture_output=True, check=False, timeout=_SECONDS, cwd=folder
            )
            outcomes = json.loads(file.read_text())["outcomes"]
            failed = [f"{each['scenario_id']}" for each in outcomes if each["status"] in ("fail", "error")]
            count = sum(each["status"] == "pass" for each in outcomes)
        except (OSError, ValueError, LookupError, TypeError, subprocess.TimeoutExpired):
            return note(name, "the probe came to no end", f"Run `{NAME} probe` by hand.")
    told = f"{count} of {count + len(failed)}"
    if failed:
        names = ", ".join(dict.fromkeys(failed))
        return warning(name, f"{told}; not {names}", f"`{NAME} probe` tells more; docs/operations.md says what to do.")
    return ok(name, told)
