"""What a long command says while it works."""

import io
import re
import time

import pytest

from gateway import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_log_gets_two_lines_a_step() -> None:
    log = io.StringIO()
    with progress.step("Starting", log):
        pass
    assert log.getvalue() == "Starting ...\n  done in 0 s\n"


def test_a_log_is_never_silent_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SILENCE_SECONDS", 0.01)
    log = io.StringIO()
    with progress.step("Installing", log) as step:
        step.detail = "3 of 9 fetched"
        while "3 of 9" not in log.getvalue():
            time.sleep(0.01)
    assert re.search(r"^  0 s, 3 of 9 fetched \.\.\.$", log.getvalue(), re.MULTILINE)


def test_a_terminal_gets_one_line_that_is_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "CLOCK_SECONDS", 0.01)
    terminal = Terminal()
    with progress.step("Starting", terminal):
        while " 0 s" not in terminal.getvalue():
            time.sleep(0.01)
    assert terminal.getvalue().count("\n") == 1
    assert terminal.getvalue().endswith(f"{progress.CLEAR}Starting: done in 0 s\n")


def test_what_fails_is_not_told_as_done() -> None:
    log = io.StringIO()
    with pytest.raises(RuntimeError), progress.step("Starting", log):
        raise RuntimeError
    assert log.getvalue().endswith("  not done in 0 s\n")
