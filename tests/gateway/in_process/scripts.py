"""Programs that use the handler in-process, each in a fresh interpreter with nothing but its own environment."""

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness import ROOT, clean_environment

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
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean, cwd=cwd, capture_output=True, text=True, timeout=seconds, check=False
    )
    lines = (done.stdout + done.stderr).splitlines()
    found = [line.removeprefix("found:") for line in lines if line.startswith("found:")]
    printed = "".join(f"{line}\n" for line in lines if not line.startswith("found:"))
    assert found, f"the program ended with {done.returncode}:\n{printed[-4000:]}"
    # A thread of LiteLLM's may log on the same line.
    value, end = json.JSONDecoder().raw_decode(found[-1])
    printed += found[-1][end:]
    return Ran(value, _NOT_OURS.sub("", printed), done.returncode)
