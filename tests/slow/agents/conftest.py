"""What the clients need to run: their programs, and a place of their own for each test."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gateway.installing import one_at_a_time
from tests.slow.agents.installing import install_npm_clients, install_python_clients
from tests.slow.agents.packages import CLIENTS
from tests.slow.agents.running import Place

_NODE = 22  # Qwen Code and the newest SDKs need it


@pytest.fixture(scope="session")
def npm_programs() -> dict[str, Path]:
    if shutil.which("npm") is None:
        pytest.skip("the npm clients need npm, and there is none")
    programs = install_npm_clients()
    if "node" not in programs:  # no package has it for this machine
        version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
        if int(version.removeprefix("v").partition(".")[0]) < _NODE:
            pytest.skip(f"the npm clients need Node.js {_NODE}, here is {version}")
    return programs


@pytest.fixture
def place(request: pytest.FixtureRequest, client: str, tmp_path: Path) -> Place:
    """A folder with the work in it, a home with nothing, and the programs of `client` alone."""
    package = CLIENTS[client]
    if package.registry == "npm":
        return Place.new(tmp_path, request.getfixturevalue("npm_programs"))
    if not package.environment:
        return Place.new(tmp_path, {})
    if client == "aider" and sys.version_info >= (3, 13):
        pytest.skip("aider needs Python 3.12 or older")
    with one_at_a_time(package.environment):
        try:
            return Place.new(tmp_path, {}, python=install_python_clients(package.environment))
        except LookupError as lacking:
            pytest.skip(f"{client} {lacking}")
