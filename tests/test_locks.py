"""The lock files hold what may be installed: every package with its hashes, and no malicious LiteLLM."""

import json
import re
from pathlib import Path

import pytest

from tests.harness import ROOT

# Malicious releases of March and October 2026.
REFUSED = {"1.82.7", "1.82.8", "1.107.0"}

PIP_LOCKS = sorted(path for place in (".", "*", "tests/*") for path in ROOT.glob(f"{place}/requirements*.lock"))
NPM_LOCKS = sorted(path for place in ("*", "tests/*") for path in ROOT.glob(f"{place}/package-lock.json"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def requirements(lock: Path) -> list[str]:
    """Each requirement with its hashes, as one line."""
    lines = [line for line in lock.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return "\n".join(lines).replace("\\\n", " ").splitlines()


def test_there_are_locks() -> None:
    assert {"requirements.lock", "requirements-dev.lock"} <= {name_of(path) for path in PIP_LOCKS}
    assert "tests/clients/package-lock.json" in {name_of(path) for path in NPM_LOCKS}


@pytest.mark.parametrize("lock", PIP_LOCKS, ids=name_of)
def test_no_malicious_litellm(lock: Path) -> None:
    versions = set(re.findall(r"^litellm(?:\[[^]]*\])?==(\S+)", lock.read_text(), re.MULTILINE))
    assert not versions & REFUSED


@pytest.mark.parametrize("version", sorted(REFUSED))
def test_a_malicious_litellm_would_be_seen(version: str, tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"httpx==0.28.1 \\\n    --hash=sha256:00\nlitellm=={version} \\\n    --hash=sha256:00\n")
    with pytest.raises(AssertionError):
        test_no_malicious_litellm(lock)


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_both_locks_have_the_gateway_s_litellm(name: str) -> None:
    (version,) = re.findall(r"^litellm==(\S+)", (ROOT / name).read_text(), re.MULTILINE)
    assert version == "1.108.11"


@pytest.mark.parametrize("lock", PIP_LOCKS, ids=name_of)
def test_every_package_is_pinned_and_hashed(lock: Path) -> None:
    found = requirements(lock)
    assert found
    assert [line for line in found if not re.match(r"[\w.\[\],-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line)] == []


@pytest.mark.parametrize("lock", NPM_LOCKS, ids=name_of)
def test_every_npm_package_is_pinned_and_hashed(lock: Path) -> None:
    packages = {name: entry for name, entry in json.loads(lock.read_text())["packages"].items() if name}
    assert packages
    for name, entry in packages.items():
        assert entry["integrity"].startswith("sha512-"), name
        assert "resolved" not in entry, "which registry serves it is nobody's business"
