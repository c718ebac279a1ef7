"""How much work the checks of one answer may be: in steps, and in seconds.

A step is about a microsecond. Steps, not looks: a small schema can ask for endless work, a large one for little. The
clock is for what steps cannot see: patterns, a slow machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from time import thread_time

import regex

_LONGEST_PATTERN = 1000  # compiling takes about 10 µs a character, and nothing can stop it
_PATTERNS_KEPT = 512
_STEPS_BETWEEN = 500


class BudgetExceededError(Exception):
    """What is left of the budget does not suffice."""


class Budget:
    """Shared by all checks of one answer, so that many small ones cost no more than a large one."""

    def __init__(self, steps: int = 100_000, seconds: float = 0.03, longest_pattern: int = _LONGEST_PATTERN) -> None:
        self.steps = steps
        self._seconds = seconds
        self._longest_pattern = longest_pattern
        self._started: float | None = None
        self._look_at = steps

    @contextmanager
    def running(self) -> Iterator[None]:
        """While this is open, time counts."""
        if self._started is not None:
            yield
            return
        self._started = thread_time()
        try:
            self._left()
            yield
        finally:
            self._seconds -= thread_time() - self._started
            self._started = None

    def spend(self, steps: int) -> None:
        self.steps -= steps
        if self.steps < self._look_at:
            self._look_at = max(self.steps - _STEPS_BETWEEN, 0)
            self._left()
            if self.steps < 0:
                raise BudgetExceededError

    def matches(self, pattern: str, text: str) -> bool | None:
        """Whether `pattern` is found in `text`; None if it is no pattern."""
        self.spend(2)
        if len(pattern) > self._longest_pattern:
            raise BudgetExceededError
        try:
            compiled = _compiled(pattern)
            return compiled and compiled.search(text, timeout=self._left()) is not None
        except (TimeoutError, MemoryError):
            self._seconds = 0  # the pattern's time is the clock's, which may be ahead of the thread's
            raise BudgetExceededError from None

    def _left(self) -> float:
        left = self._seconds - (thread_time() - self._started if self._started is not None else 0)
        if left <= 0:
            raise BudgetExceededError
        return left


@lru_cache(maxsize=_PATTERNS_KEPT)
def _compiled(pattern: str) -> "regex.Pattern[str] | None":
    try:
        return regex.compile(pattern)
    except (regex.error, ValueError, OverflowError, RecursionError):
        return None
