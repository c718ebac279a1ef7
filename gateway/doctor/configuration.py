"""The check that the gateway makes when it starts, with its own sentences; they name the variable and what to do."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping

from gateway.doctor.results import Result, failure, note, ok
from gateway.dotenv import file_values
from gateway.environment import for_gateway
from gateway.names import CONFIGURATIONS, EXAMPLE, misspelt
from gateway.project import ROOT

NAME = "configuration"
EXIT_CONFIG = 78
LIMIT_SECONDS = 14


def check(environ: Mapping[str, str]) -> list[Result]:
    found = [failure(NAME, mistake, "Correct it in the environment or in .env.") for mistake in _own(environ)]
    file = next((ROOT / name for name in CONFIGURATIONS if (ROOT / name).exists()), ROOT / CONFIGURATIONS[0])
    done = subprocess.run(
        [sys.executable, "-m", "custom_handlers.stackspot_config", "--config", str(file)],
        env=for_gateway(environ), cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS,
    )  # fmt: skip
    if done.returncode == EXIT_CONFIG:
        told = re.findall(r"^ {2}- (.+)$", done.stderr, re.MULTILINE)
        advice = f"Correct it in the environment, in .env or in {file.name}."
        return [*found, *(failure(NAME, mistake, advice) for mistake in told)]
    if "ModuleNotFoundError" in done.stderr:
        advice = "Run `make install`; with Docker: `docker compose exec gateway python3 -m gateway doctor`."
        return [*found, note(NAME, "StackSpot's part was not looked at: it needs the whole installation", advice)]
    if done.returncode:
        return [*found, failure(NAME, "could not be checked", "Run `make install`.")]
    return found or [ok(NAME, f"the environment and {file.name} fit together")]


def _own(environ: Mapping[str, str]) -> list[str]:
    """The gateway's own settings; those of StackSpot are in the other check."""
    found = []
    if EXAMPLE.exists():
        found += [each for each in misspelt(file_values(ROOT), environ) if not each.upper().startswith("STACKSPOT")]
    if not environ.get("LITELLM_MASTER_KEY"):
        found.append("LITELLM_MASTER_KEY is missing: `make env` writes a .env with one.")
    return found
