"""The lock files: every package with its hashes, and the same for run and development."""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from supply_chain.locks import Pin, pip_pins
from tests.harness import ROOT

RUNTIME, DEVELOPMENT = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"
ADMINISTRATION = ROOT / "requirements-admin.lock"
locks = pytest.mark.parametrize("lock", [RUNTIME, DEVELOPMENT], ids=lambda lock: lock.name)


def read(text: str) -> list[Pin]:
    return list(pip_pins(text))


@locks
def test_every_line_is_a_pin_with_hashes(lock: Path) -> None:
    assert len(read(lock.read_text())) > 100


def test_the_locks_agree() -> None:
    runtime, development = (set(read(lock.read_text())) for lock in (RUNTIME, DEVELOPMENT))
    assert runtime <= development
    administration = read(ADMINISTRATION.read_text())
    assert 3 <= len(administration) < 12
    assert {pin[:3] for pin in administration} <= {pin[:3] for pin in runtime}


@locks
def test_a_package_has_two_versions_only_for_different_machines(lock: Path) -> None:
    pins = read(lock.read_text())
    names = [pin.name for pin in pins]
    assert all(pin.marker for pin in pins if names.count(pin.name) > 1)


def test_the_lts_line_of_litellm_and_the_same_in_the_image() -> None:
    (litellm,) = (pin for pin in read(RUNTIME.read_text()) if pin.name == "litellm")
    assert litellm.version.startswith("1.108.")
    images = re.findall(r"image: ghcr\.io/berriai/litellm:v([0-9.]+)", (ROOT / "docker-compose.yml").read_text())
    assert images == [litellm.version]


@pytest.mark.parametrize(
    ("source", "lock"),
    [
        ("requirements.in", RUNTIME),
        ("requirements-dev.in", DEVELOPMENT),
        ("requirements-admin.in", ADMINISTRATION),
        ("requirements-overrides.txt", DEVELOPMENT),
    ],
)
def test_what_is_asked_for_is_locked(source: str, lock: Path) -> None:
    versions = {pin.name: pin.version for pin in read(lock.read_text())}
    lines = [line.partition("#")[0].strip() for line in (ROOT / source).read_text().splitlines()]
    for asked in (Requirement(line) for line in lines if line and not line.startswith("-")):
        assert versions[canonicalize_name(asked.name)] in asked.specifier


def test_what_the_tests_run_on_is_what_is_locked() -> None:
    for pin in read(RUNTIME.read_text()):
        if not pin.marker or Requirement(f"{pin.name} ; {pin.marker}").marker.evaluate():  # type: ignore[union-attr]
            assert metadata.version(pin.name) == pin.version


def test_pip_takes_the_lock_as_it_stands() -> None:
    """Everything is installed already, so nothing is fetched: it only shows that pip can read the lock."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "--no-deps", "--require-hashes"]
    subprocess.run([*command, "--quiet", "-r", RUNTIME], check=True, timeout=200)
