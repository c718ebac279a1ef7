"""`make clients-newest`: which clients it tries, and what it says of one that cannot even be installed."""

import subprocess
import sys

import pytest

from gateway.failures import InputError
from tests.harness import ROOT, clean_environment
from tests.slow.agents.newest import Tried, chosen, last_line, status, try_client
from tests.slow.agents.packages import CLIENTS, Client, locked_version
from tests.slow.agents.running import Place


def test_all_are_tried_unless_one_is_typed() -> None:
    assert chosen({}) == list(CLIENTS)
    assert chosen({"NAME": "this-machine"}) == list(CLIENTS), "it was not typed"
    assert chosen({"NAME": "codex", "TYPED_VARIABLES": "NAME"}) == ["codex"]
    with pytest.raises(InputError, match=r"There is no client emacs; NAME is one of: .*codex"):
        chosen({"NAME": "emacs", "TYPED_VARIABLES": "NAME"})


def test_an_unknown_client_is_one_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.slow.agents.newest"],
        cwd=ROOT,
        env=clean_environment({"NAME": "emacs", "TYPED_VARIABLES": "NAME"}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("There is no client emacs;")
    assert len(done.stderr.splitlines()) == 1


def test_what_cannot_be_installed_is_a_line_of_the_table() -> None:
    def install(client: Client) -> tuple[str, Place]:
        assert client.package == "crewai"
        raise AssertionError("uv pip install crewai\n  × No solution found\n  ╰─▶ it needs another Python\n\n")

    tried = try_client("crewai", install, "http://127.0.0.1:9", "sk-none")
    assert tried.row == ("crewai", "-", locked_version(CLIENTS["crewai"]), "╰─▶ it needs another Python")
    assert status([tried]) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Traceback:\n  File x\nValueError: no\n", "ValueError: no"),
        ("", "failed without a word"),
        ("---\n", "failed without a word"),
        ("long " * 100, ("long " * 100)[:120]),
    ],
)
def test_the_last_line_is_what_was_wrong(text: str, told: str) -> None:
    assert last_line(text) == told


def test_it_fails_when_one_did_not_work() -> None:
    good, bad = Tried("a", "1", "1", "worked"), Tried("b", "2", "1", "exit 1")
    assert [status([]), status([good]), status([good, bad])] == [0, 0, 1]
