"""How a command fails: in one sentence, and never with a traceback.

Failure            said as it is, exit 1
└── InputError     what was typed or set is wrong, exit 2
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType

EXIT_INTERRUPTED = 130
MOST_LINES = 6
LONGEST_LINE = 400
_TRACE = ("Traceback", "  ", "\t", "During handling", "The above exception")


class GatewayError(Exception):
    exit_code = 1


class InputError(GatewayError):
    exit_code = 2


class StartError(GatewayError):
    """A process that was started did not come up; the message ends with its last words."""


def guarded(command: Callable[[], int]) -> int:
    """Runs a command; its exit status, and a sentence on standard error for whatever went wrong."""
    try:
        status = command()
        sys.stdout.flush()
    except GatewayError as failure:
        return _say(str(failure), failure.exit_code)
    except KeyboardInterrupt:
        return _say("\nStopped.", EXIT_INTERRUPTED)
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _say(f"{_place(error)}{error.strerror or error}.", 1)
    except Exception as error:
        said = " ".join(str(error).split())[:LONGEST_LINE]
        return _say(f"This command failed, which it should not: {type(error).__name__}: {said}", 1)
    return status


def interrupt_once() -> None:
    """The first Ctrl-C or request to end raises KeyboardInterrupt; further ones do not disturb the tidying up."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for each in signals:
        signal.signal(each, interrupt)


def last_words(log: Path | str) -> str:
    """The last lines of a log that say something: neither frames of a traceback nor blank ones."""
    try:
        text = log.read_text(errors="replace") if isinstance(log, Path) else log
    except OSError:
        return ""
    return "\n".join(f"  {line}" for line in _telling(text.splitlines())[-MOST_LINES:])


def _telling(lines: Iterable[str]) -> list[str]:
    return [line[:LONGEST_LINE] for line in lines if line.strip() and not line.startswith(_TRACE)]


def _place(error: OSError) -> str:
    return f"{error.filename}: " if error.filename else ""


def _say(text: str, status: int) -> int:
    print(text, file=sys.stderr, flush=True)
    return status
