"""The lock files: every package with its hashes, the same for run and development, and no malicious LiteLLM."""

import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.harness import ROOT

RUNTIME, DEVELOPMENT = ROOT / "requirements.lock", ROOT / "requirements-dev.lock"
ADMINISTRATION = ROOT / "requirements-admin.lock"
MALICIOUS = {"litellm": {"1.82.7", "1.82.8", "1.107.0"}}
locks = pytest.mark.parametrize("lock", [RUNTIME, DEVELOPMENT], ids=lambda lock: lock.name)

_PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.+!-]+)(?: ; (?P<marker>.+))?")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


class Pin(NamedTuple):
    name: str
    version: str
    marker: str
    hashes: frozenset[str]


def read(text: str) -> list[Pin]:
    """The pins of a lock. Raises ValueError for anything else, and for a release known to be malicious."""
    pins = []
    for entry in re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines():
        words = entry.split(" --hash=")
        found = _PIN.fullmatch(words[0].strip())
        hashes = frozenset(f"--hash={word.strip()}" for word in words[1:])
        if not found or not hashes or not all(map(_HASH.fullmatch, hashes)):
            raise ValueError(f"not a pin with hashes: {entry[:80]}")
        name = canonicalize_name(found["name"])
        if found["version"] in MALICIOUS.get(name, ()):
            raise ValueError(f"{name} {found['version']} is malicious")
        pins.append(Pin(name, found["version"], found["marker"] or "", hashes))
    return pins


@locks
def test_every_line_is_a_pin_with_hashes(lock: Path) -> None:
    assert len(read(lock.read_text())) > 100


def test_the_locks_agree() -> None:
    runtime, development = (set(read(lock.read_text())) for lock in (RUNTIME, DEVELOPMENT))
    assert runtime <= development
    administration = read(ADMINISTRATION.read_text())
    assert 3 <= len(administration) < 12
    assert {pin[:2] for pin in administration} <= {pin[:2] for pin in runtime}


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
