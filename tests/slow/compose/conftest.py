"""One Docker daemon and one stack for all tests of this folder."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slow.compose.daemon import Docker, DockerUnavailableError, running_docker
from tests.slow.compose.images import make_images
from tests.slow.compose.stack import Stack, clone, images, with_simulator


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "stackspot-gateway-compose"
    run = Path(tempfile.mkdtemp(prefix="compose-"))
    try:
        with running_docker(cache, run) as docker:
            make_images(docker, images())
            yield docker
    except DockerUnavailableError as reason:
        pytest.skip(f"The Docker stack was not tested: {reason}.")
    finally:
        shutil.rmtree(run, ignore_errors=True)


@pytest.fixture(scope="session")
def stack(docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack of a new user: make env, the credentials filled in, make up. It runs."""
    stack = clone(docker, tmp_path_factory.mktemp("gateway"), "gateway-test")
    try:
        stack.make("env")
        stack.fill_in({**with_simulator(stack), "GATEWAY_PORT": str(stack.port)})
        stack.make("up")
        yield stack
    finally:
        stack.command("docker", "compose", "down", "--volumes", "--timeout", "10")
