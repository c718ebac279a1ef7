"""Waits for what comes by itself, up to a limit that only something broken reaches."""

import time
from collections.abc import Callable


def eventually(holds: Callable[[], bool], what: str, seconds: float = 60, pause: float = 0.3) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"after {seconds:.0f} s still not so: {what}")
        time.sleep(pause)
