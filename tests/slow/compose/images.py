"""Makes the stand-ins for the images of docker-compose.yml, under the very same names, and publishes them."""

import hashlib
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.harness import ROOT
from tests.slow.compose.daemon import Docker

BASE = "stand-in-base:bookworm"
MIRROR = "http://deb.debian.org/debian"
LABEL = "stand-in.inputs"
SOURCES = [
    ROOT / "requirements.lock",
    ROOT / "gateway" / "__init__.py",
    ROOT / "gateway" / "failures.py",
    ROOT / "gateway" / "locks.py",
    ROOT / "gateway" / "progress.py",
    ROOT / "database" / "__init__.py",
    ROOT / "database" / "prisma_engine.py",
]


def make_images(docker: Docker, names: Mapping[str, str]) -> None:
    """`names` maps services to image names. What is there already, from the same sources, is kept."""
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        inputs = _fill(context)
        for service in ("database", "redis", "gateway"):
            if _label(docker, names[service]) != inputs:
                _make_base(docker)
                docker.run(
                    *("build", "--network", "host", "--target", service, "--tag", names[service]),
                    *("--label", f"{LABEL}={inputs}", str(context)),
                    timeout=800,
                )
                publish(docker, names[service])
        docker.run("image", "prune", "--force", timeout=600)


def publish(docker: Docker, name: str) -> None:
    """Pushes an image to where a pull of its name ends up."""
    if "/" in name:
        docker.run("push", "--quiet", name, timeout=600)
        return
    hub = f"{docker.registry}/library/{name}"
    docker.run("tag", name, hub)
    docker.run("push", "--quiet", hub, timeout=600)
    docker.run("rmi", hub)


def _fill(context: Path) -> str:
    """Copies what the build needs; returns a digest of it."""
    shutil.copytree(Path(__file__).parent / "images", context, dirs_exist_ok=True)
    engine = Path("database") / "prisma-engine"
    shutil.copytree(ROOT / engine, context / engine, ignore=shutil.ignore_patterns("node_modules"))
    for source in SOURCES:
        target = context / source.relative_to(ROOT)
        target.parent.mkdir(exist_ok=True)
        shutil.copy(source, target)
    files = sorted(path for path in context.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(context)}\0".encode() + path.read_bytes())
    # The network may have a certificate authority of its own. Not in the digest: it changes nothing in the result.
    authorities = ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"
    shutil.copy(authorities, context / "ca-certificates.crt")
    return digest.hexdigest()


def _label(docker: Docker, name: str) -> str:
    return docker.run(
        "image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', name, check=False
    ).stdout.strip()


def _make_base(docker: Docker) -> None:
    if docker.run("image", "inspect", BASE, check=False).returncode == 0:
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["debootstrap", "--variant=minbase", "bookworm", folder, MIRROR], check=True, stdout=subprocess.DEVNULL
        )
        tar = subprocess.Popen(["tar", "--directory", folder, "--create", "."], stdout=subprocess.PIPE)
        subprocess.run(["docker", "import", "-", BASE], stdin=tar.stdout, env=docker.environ, check=True)
        assert tar.wait() == 0
