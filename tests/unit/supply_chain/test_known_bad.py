"""No lock holds a release that is known to be malicious, and one that did would be found."""

import tomllib

import pytest

from supply_chain.known_bad import LIST, is_bad, main, mistakes
from supply_chain.locks import Pin, all_locks, images, npm_pins, pip_pins, read
from tests.harness import ROOT

HASHES = " --hash=sha256:" + "a" * 64


def test_nothing_that_is_locked_or_installed_is_known_to_be_bad(capsys: pytest.CaptureFixture[str]) -> None:
    assert mistakes() == []
    assert main() == 0
    assert "none of those is in any of" in capsys.readouterr().out


def test_every_lock_is_looked_at_and_has_hashes() -> None:
    locks = {str(path.relative_to(ROOT)) for path in all_locks()}
    assert {"requirements.lock", "requirements-dev.lock", "database/prisma-engine/package-lock.json"} <= locks
    assert "tests/slow/agents/package-lock.json" in locks
    assert sum(len(read(path)) for path in all_locks()) > 1000


def test_each_row_has_a_source() -> None:
    for release in tomllib.loads(LIST.read_text())["release"]:
        assert release.keys() == {"ecosystem", "name", "versions", "source"}
        assert release["ecosystem"] in ("pypi", "npm")
        assert release["versions"]
        assert len(release["source"]) > 20


@pytest.mark.parametrize("version", ["1.82.7", "1.82.8", "1.107.0"])
def test_a_malicious_litellm_is_found(version: str) -> None:
    [pin] = pip_pins(f"LiteLLM=={version} \\\n   {HASHES}\n")
    assert is_bad(pin)
    assert not is_bad(Pin("npm", "litellm", version))


def test_a_malicious_package_of_npm_is_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        '{"packages": {"": {}, "node_modules/x/node_modules/chalk": {"version": "5.6.1", "integrity": "sha512-YQ=="}}}'
    )
    [pin] = npm_pins(text)
    assert (pin.name, is_bad(pin)) == ("chalk", True)
    monkeypatch.setattr("supply_chain.known_bad.read", lambda _: [pin])
    assert main() == 1
    assert "package-lock.json has chalk 5.6.1, a malicious release" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["x==1", "x>=1" + HASHES, "-r other.txt", "x @ https://example.com/x.whl" + HASHES])
def test_a_line_that_is_no_pin_with_hashes_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not a pin with hashes"):
        list(pip_pins(line))


def test_an_npm_package_without_a_hash_is_refused() -> None:
    with pytest.raises(ValueError, match="not a package with its hash: x"):
        list(npm_pins('{"packages": {"node_modules/x": {"version": "1"}}}'))


def test_images_have_a_version() -> None:
    found = images((ROOT / "docker-compose.yml").read_text())
    assert len(found) == 5
    assert all(image.tag[:1].isdigit() or image.tag[:1] == "v" for image in found)
