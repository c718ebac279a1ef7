"""What a long command is doing: a line for each step with the seconds it took, and a running clock on a terminal.

Needs nothing but Python, as it is there before anything is installed.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

CLEAR = "\r\x1b[K"
CLOCK_SECONDS = 0.5
SILENCE_SECONDS = 15.0  # the longest that a log stays without a sign of life


class Step:
    """One step under way; `detail` is what it has come to, `failed` that it came to nothing."""

    def __init__(self, text: str, stream: TextIO) -> None:
        self.detail, self.failed = "", False
        self._text = text
        self._stream = stream
        self._start = time.monotonic()
        self._live = stream.isatty()
        self._over = threading.Event()
        self._clock = threading.Thread(target=self._tick, daemon=True)

    def begin(self) -> None:
        if self._live:
            self._write(f"{self._text} ...")
        else:
            self._write(f"{self._text} ...\n")
        self._clock.start()

    def end(self, *, done: bool) -> None:
        self._over.set()
        self._clock.join()
        told = f"{'done' if done else 'not done'} in {self.seconds:.0f} s"
        self._write(f"{CLEAR}{self._text}: {told}\n" if self._live else f"  {told}\n")

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start

    def _tick(self) -> None:
        while not self._over.wait(CLOCK_SECONDS if self._live else SILENCE_SECONDS):
            so_far = f"{self.seconds:.0f} s" + (f", {self.detail}" if self.detail else "")
            self._write(f"{CLEAR}{self._text} ... {so_far}" if self._live else f"  {so_far} ...\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def note(text: str) -> None:
    """A line of its own while a step may be under way."""
    print(f"{CLEAR if sys.stdout.isatty() else ''}{text}", flush=True)


@contextmanager
def step(text: str, stream: TextIO | None = None) -> Iterator[Step]:
    """Says what is being done for as long as the block lasts."""
    running = Step(text, stream or sys.stdout)
    running.begin()
    done = False
    try:
        yield running
        done = not running.failed
    finally:
        running.end(done=done)
