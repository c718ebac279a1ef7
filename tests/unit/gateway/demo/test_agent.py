"""What the demo's agent does for a model: in its folder, and nowhere else."""

import json
from pathlib import Path

import pytest

from gateway.demo import project
from gateway.demo.agent import call_tool


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    project.lay_out(place)
    return place


def call(folder: Path, tool: str, **arguments: str) -> str:
    return call_tool(folder, tool, json.dumps(arguments))


def test_the_task_mends_the_tests(folder: Path) -> None:
    assert call(folder, "run_tests").startswith("FAILED")
    assert call(folder, "list_files", path=".").split() == sorted(project.FILES)
    assert call(folder, "edit_file", path="prices.py", old="DISCOUNT = 0.5", new="DISCOUNT = 0.05").endswith("changed.")
    assert call(folder, "edit_file", path="receipt.py", old=":.1f", new=":.2f").endswith("changed.")
    assert "0.05" in call(folder, "read_file", path="prices.py")
    assert call(folder, "run_tests") == "OK\n"


@pytest.mark.parametrize("path", ["../secret", "/etc/hostname", "prices.py/../../secret"])
def test_nothing_outside_is_read_or_written(folder: Path, path: str) -> None:
    (folder.parent / "secret").write_text("old")
    assert call(folder, "read_file", path=path).endswith("is not in the project.")
    assert call(folder, "edit_file", path=path, old="old", new="new").endswith("is not in the project.")
    assert (folder.parent / "secret").read_text() == "old"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("delete", "{}"), ("read_file", "{"), ("read_file", "[]"), ("read_file", '{"file": "x"}'), ("run_tests", '"now"')],
)
def test_a_wrong_call_is_told_to_the_model(folder: Path, tool: str, arguments: str) -> None:
    assert call_tool(folder, tool, arguments).startswith("Error: ")


def test_an_edit_has_one_place(folder: Path) -> None:
    assert call(folder, "edit_file", path="prices.py", old="DISCOUNT", new="X") == (
        "'DISCOUNT' stands 2 times in prices.py: it has to be once."
    )
