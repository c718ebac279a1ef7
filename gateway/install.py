"""`python -m gateway.install FOLDER LOCK`: a virtual environment with everything in a lock file, and how far it is.

Needs nothing but Python. --no-deps: a lock lists every package, and two of LiteLLM's own pins are not on PyPI (see
requirements-overrides.txt).
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from gateway.failures import GatewayError, guarded, last_words
from gateway.progress import step

OLDEST = (3, 11)
ABOUT = {"requirements-dev.lock": "about two minutes", "requirements-admin.lock": "about ten seconds"}


def install(folder: Path, lock: Path) -> int:
    if sys.version_info < OLDEST:
        raise GatewayError("Python 3.11 or newer is needed; say which one with PYTHON=/path/to/python3.")
    count = len(re.findall(r"^[\w.-]+==", lock.read_text(), re.MULTILINE))
    print(f"{folder} is made once, which takes {ABOUT.get(lock.name, 'a while')}.", file=sys.stderr, flush=True)
    with step(f"Making {folder}", sys.stderr):
        _run([sys.executable, "-m", "venv", str(folder)])
    command = [
        str(folder / "bin" / "pip"),
        "install",
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
        "--no-deps",
    ]
    with step(f"Installing {count} packages", sys.stderr) as running:
        process = subprocess.Popen(
            [*command, "--require-hashes", "-r", str(lock)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        seen, told = 0, []
        assert process.stdout
        for line in process.stdout:
            told.append(line)
            if line.startswith("Collecting "):
                seen += 1
                running.detail = f"{seen} of {count} fetched"
            elif line.startswith("Installing collected packages"):
                running.detail = "unpacking"
        if process.wait():
            raise GatewayError(f"The packages of {lock} cannot be installed:\n{last_words(''.join(told))}")
    (folder / ".installed").touch()
    return 0


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GatewayError(f"`{' '.join(command)}` failed:\n{last_words(done.stdout + done.stderr)}")


if __name__ == "__main__":
    sys.exit(guarded(lambda: install(Path(sys.argv[1]), Path(sys.argv[2]))))
