"""A Docker daemon and a registry of the tests' own, so that no image or container of the machine's is touched.

The registry listens on loopback and takes the place of Docker Hub (as its mirror) and of ghcr.io (as the daemon's
proxy), so that `docker compose pull` is the real one.
"""

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import compose

from tests.harness import free_port

PROGRAMS = {
    "dockerd": "docker.io",
    "docker": "docker.io",
    "docker-registry": "docker-registry",
    "debootstrap": "debootstrap",
    "iptables": "iptables",
    "make": "make",
    "setpriv": "util-linux",
}
REGISTRY = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""
START_SECONDS = 60


class DockerUnavailableError(Exception):
    """Says why no daemon can run on this machine."""


@dataclass(frozen=True)
class Docker:
    environ: Mapping[str, str]
    registry: str  # host:port

    def run(self, *arguments: str, timeout: float = 120, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["docker", *arguments], env=self.environ, capture_output=True, text=True, timeout=timeout, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"docker {' '.join(arguments)}: {done.stderr}{done.stdout}")
        return done

    def output(self, *arguments: str) -> str:
        return self.run(*arguments).stdout.strip()


@contextmanager
def running_docker(cache: Path, run: Path) -> Iterator[Docker]:
    """`cache` keeps the images between runs, `run` (a short path: it holds a socket) what ends with this one."""
    _check_programs()
    client = run / "client"
    (client / "cli-plugins").mkdir(parents=True)
    (client / "cli-plugins" / "docker-compose").symlink_to(Path(compose.__file__).parent / "docker-compose")
    cache.mkdir(parents=True, exist_ok=True)
    with (
        _alone(cache),
        _running_registry(cache / "registry", run) as registry,
        _running_daemon(cache, run, registry) as host,
    ):
        yield Docker(
            {**os.environ, "DOCKER_HOST": host, "DOCKER_CONFIG": str(client), "DOCKER_BUILDKIT": "0"}, registry
        )


def _check_programs() -> None:
    if os.geteuid() != 0:
        raise DockerUnavailableError("a Docker daemon needs root, and this is not root")
    if missing := sorted({package for program, package in PROGRAMS.items() if not shutil.which(program)}):
        raise DockerUnavailableError(
            f"not installed: {', '.join(missing)} (Debian: apt-get install {' '.join(missing)})"
        )


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if any(_name(process) == "dockerd" for process in Path("/proc").glob("[0-9]*")):
            raise DockerUnavailableError(
                "a Docker daemon runs here already, and a second one would overwrite its packet rules; stop it first"
            )
        yield


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:  # gone in the meantime
        return ""


@contextmanager
def _running_registry(folder: Path, run: Path) -> Iterator[str]:
    address = f"127.0.0.1:{free_port()}"
    config = run / "registry.yml"
    config.write_text(REGISTRY.format(folder=folder, port=address.partition(":")[2]))
    if folder.exists():  # images that were made anew since
        subprocess.run(
            ["docker-registry", "garbage-collect", "--delete-untagged", str(config)], capture_output=True, check=True
        )
    with _running(["docker-registry", "serve", str(config)], run / "registry.log"):
        yield address


@contextmanager
def _running_daemon(cache: Path, run: Path, registry: str) -> Iterator[str]:
    host = f"unix://{run}/docker.sock"
    command = [
        "dockerd",
        *("--data-root", str(cache / "docker"), "--exec-root", str(run / "exec"), "--pidfile", str(run / "docker.pid")),
        *("--host", host, "--bridge", "none", "--log-level", "warn"),
        *("--registry-mirror", f"http://{registry}", "--insecure-registry", "ghcr.io"),
    ]
    log = run / "dockerd.log"
    environ = {**os.environ, "HTTP_PROXY": f"http://{registry}", "NO_PROXY": "127.0.0.1"}
    with _running(command, log, environ) as daemon:
        until = time.monotonic() + START_SECONDS
        while subprocess.run(["docker", "--host", host, "info"], capture_output=True, check=False).returncode:
            if daemon.poll() is not None or time.monotonic() > until:
                raise DockerUnavailableError(f"dockerd does not start here: {' '.join(log.read_text().split()[-60:])}")
            time.sleep(0.2)
        yield host
    subprocess.run(["umount", str(run / "exec" / "netns" / "default")], capture_output=True, check=False)


@contextmanager
def _running(
    command: list[str], log: Path, environ: Mapping[str, str] = os.environ
) -> Iterator[subprocess.Popen[bytes]]:
    command = ["setpriv", "--pdeathsig", "TERM", *command]  # a killed test run takes it along
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
