"""Spans of the request that is served, in the trace that the proxy keeps of it; nothing where traces are off."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from custom_handlers.core import notes

Value = str | int | float

TURN = "wait for a turn"


class Span(Protocol):
    def set(self, name: str, value: Value) -> None:
        """Words and numbers of ours: nothing that a client or a model has written, no secret and no address."""

    def end(self, error: BaseException | None = None) -> None:
        """Safe to call again: the first time counts."""


class Trace(Protocol):
    def begin(self, name: str) -> Span: ...


class _Nothing:
    def set(self, name: str, value: Value) -> None:
        pass

    def end(self, error: BaseException | None = None) -> None:
        pass


_NOTHING = _Nothing()


def begin(name: str) -> Span:
    """A span that has to be ended."""
    noted = notes.current()
    return noted.trace.begin(name) if noted and noted.trace else _NOTHING


@contextmanager
def span(name: str) -> Iterator[Span]:
    """A span as long as the block."""
    begun = begin(name)
    try:
        yield begun
    except BaseException as error:
        begun.end(error)
        raise
    finally:
        begun.end()
