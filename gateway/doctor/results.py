"""What a check found, and groups of checks that run together, each with its own time limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    OK = "ok"
    NOTE = "note"  # not configured, not started, not looked at: no failure
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True)
class Result:
    """One line; `advice` says what to do, with the variable's name."""

    check: str
    outcome: Outcome
    message: str
    advice: str = ""


def ok(check: str, message: str) -> Result:
    return Result(check, Outcome.OK, message)


def note(check: str, message: str, advice: str = "") -> Result:
    return Result(check, Outcome.NOTE, message, advice)


def warning(check: str, message: str, advice: str) -> Result:
    return Result(check, Outcome.WARNING, message, advice)


def failure(check: str, message: str, advice: str) -> Result:
    return Result(check, Outcome.FAILURE, message, advice)


@dataclass(frozen=True)
class Group:
    """Checks that depend on each other; `advice` is for when they take longer than `seconds`."""

    name: str
    run: Callable[[Mapping[str, str]], Sequence[Result]]
    seconds: float
    advice: str


@dataclass
class _Running:
    group: Group
    found: list[Result] = field(default_factory=list)


def together(groups: Sequence[Group], environ: Mapping[str, str]) -> list[Result]:
    """Every result, in the order of the groups. What hangs is left behind: its thread does not hold up the exit."""
    began = time.monotonic()
    running = []
    for group in groups:
        state = _Running(group)
        thread = threading.Thread(target=_run, args=(state, environ), daemon=True)
        thread.start()
        running.append((state, thread))
    found: list[Result] = []
    for state, thread in running:
        thread.join(max(began + state.group.seconds - time.monotonic(), 0))
        if thread.is_alive():
            seconds = f"{state.group.seconds:g} s"
            found.append(failure(state.group.name, f"not finished after {seconds}", state.group.advice))
        else:
            found += state.found
    return found


def _run(state: _Running, environ: Mapping[str, str]) -> None:
    try:
        state.found += state.group.run(environ)
    except Exception as error:  # one broken check may not hide the others
        advice = "Tell us: this check should not fail so."
        state.found.append(failure(state.group.name, f"could not be made ({type(error).__name__})", advice))
