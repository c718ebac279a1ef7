"""Locks between processes that a killed process cannot leave behind: the kernel frees them with it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Waits until nobody else holds the file."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def shared(path: Path) -> Iterator[IO[str]]:
    """Holds the file together with others; `held_by_others` tells whether there are any."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield file


@contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Takes the file without waiting, and says whether it could."""
    with path.open("a") as file:
        yield not held_by_others(file)


def held_by_others(file: IO[str]) -> bool:
    """Asks for the file alone without waiting. Whoever holds a share afterwards holds it alone."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
