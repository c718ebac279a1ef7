"""Programs that use the handler in-process, each with nothing but its own environment.

`make test-all` gives each a fresh interpreter. `make test` forks it, to spare the seven seconds of importing LiteLLM.
"""

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.forking import fork_program
from tests.harness import ROOT, clean_environment
from tests.sampling import all_cases

_BEGINNING = """
import asyncio, json, os, sys
found = {}
def tell():
    print("found:" + json.dumps(found), flush=True)
"""

# LiteLLM's logging worker warns when a program runs one event loop after the other, whoever the provider is.
_NOT_OURS = re.compile(r"^.*logging_worker\.py.*\n(?:  .*\n|RuntimeWarning: Enable tracemalloc.*\n)*", re.MULTILINE)


@dataclass(frozen=True)
class Ran:
    """What a program found, what else it printed, and how it ended."""

    found: Any
    printed: str
    status: int


def run_script(script: str, environ: Mapping[str, str], cwd: Path, seconds: float = 200) -> Ran:
    """Runs `script`, which fills `found` and calls `tell()` at its end."""
    code = _BEGINNING + textwrap.dedent(script)
    clean = clean_environment({"PYTHONPATH": str(ROOT), **environ})
    log = cwd / "printed.txt"
    forked = None if all_cases() else fork_program(code, clean, log, cwd)
    if forked is not None:
        try:
            status = forked.wait(seconds)
        finally:
            forked.kill()
    else:
        with log.open("w") as output:
            command = [sys.executable, "-c", code]
            done = subprocess.run(command, env=clean, cwd=cwd, stdout=output, stderr=output, timeout=seconds)
            status = done.returncode
    lines = log.read_text(errors="replace").splitlines()
    found = [line.removeprefix("found:") for line in lines if line.startswith("found:")]
    printed = "".join(f"{line}\n" for line in lines if not line.startswith("found:"))
    assert found, f"the program ended with {status}:\n{printed[-4000:]}"
    # A thread of LiteLLM's may log on the same line.
    value, end = json.JSONDecoder().raw_decode(found[-1])
    printed += found[-1][end:]
    return Ran(value, _NOT_OURS.sub("", printed), status)
