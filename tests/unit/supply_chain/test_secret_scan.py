"""A key in a file is found, wherever it stands; made-up ones are not. `make lint` looks through the whole tree."""

import secrets
from pathlib import Path

import pytest

from supply_chain import secret_scan
from tests.harness import ROOT

# Put together here, so that this file holds none.
KEYS = {
    "AWS Access Key": "AKIA" + "QYLPMN5HFIQR7XYZ",
    "Private Key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "GitHub Token": "ghp_" + "a1B2" * 9,
    "OpenAI Token": "sk-" + "a1B2c" * 4 + "T3BlbkFJ" + "d3E4f" * 4,
}


@pytest.mark.parametrize("folder", ["custom_handlers", "tests", "docs"])
@pytest.mark.parametrize("kind", KEYS)
def test_a_key_is_found_in_every_folder(tmp_path: Path, kind: str, folder: str) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "example.md").write_text(f"text\nvalue = '{KEYS[kind]}'\n")
    found = list(secret_scan.scan([f"{folder}/example.md"], tmp_path))
    assert (kind, 2) in {(each.kind, each.line) for each in found}


@pytest.mark.parametrize(("folder", "lines"), [("gateway", {1}), ("tests", set())])
def test_made_up_passwords_are_for_tests(tmp_path: Path, folder: str, lines: set[int]) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "a.py").write_text(f'PASSWORD = "{secrets.token_hex(8)}"\nNAME = "STACKSPOT_API_KEY"\n')
    assert {found.line for found in secret_scan.scan([f"{folder}/a.py"], tmp_path)} == lines


def test_it_says_where_and_not_what(capsys: pytest.CaptureFixture[str]) -> None:
    file = ROOT / "artifacts" / f"{secrets.token_hex(4)}.txt"
    file.parent.mkdir(exist_ok=True)
    file.write_text(KEYS["Private Key"] + "\n")
    name = str(file.relative_to(ROOT))
    try:
        assert secret_scan.main([name]) == 1
    finally:
        file.unlink()
    told = capsys.readouterr().err
    assert told.startswith(f"{name}:1: Private Key\n")
    assert KEYS["Private Key"] not in told


def test_what_git_has_is_looked_at() -> None:
    names = secret_scan.tracked()
    assert {"README.md", ".env.example", "custom_handlers/handler.py"} <= {*names}
    assert not [name for name in names if name.endswith((".lock", ".png"))]
