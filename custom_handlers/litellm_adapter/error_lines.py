"""One line for what has gone wrong with a request, where LiteLLM logs a traceback, and on some paths three of them.

A traceback leads to a fault in the gateway. A wrong key, a bad body or a StackSpot that is down is none.
"""

import logging
import sys
from collections.abc import Iterator

from custom_handlers.core import notes

# The loggers themselves: LiteLLM replaces their handlers while it starts.
LOGGERS = ("LiteLLM", "LiteLLM Proxy", "LiteLLM Proxy.stdout", "LiteLLM Router")
CLEAR = "is_stackspots"  # on our exceptions: they say all that there is to say
LONGEST = 500
LONGEST_LINE = 1500  # LiteLLM's own words, and what it quotes of a client, such as the name of a model
_TRACE = "Traceback (most recent call last)"
# Here LiteLLM logs what it answers with 401: a bare exception then is one that it has raised itself.
_AUTHENTICATION = "auth_exception_handler.py"
_BARE = (Exception, ValueError, AssertionError)


class OneLine(logging.Filter):
    """Goes before LiteLLM's own filters, which write the traceback out."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        error = record.exc_info[1] if record.exc_info else sys.exc_info()[1]
        if error is None or not _is_clear(error, record):
            return True
        if _was_told(error):
            return False
        text = record.getMessage().partition(_TRACE)[0]
        line = "".join(c if c.isprintable() else "?" for c in " ".join(text.split()))
        record.msg, record.args = line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]} ...", ()
        record.exc_info = record.exc_text = None
        return True


def shorten() -> None:
    """Safe to call again."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(each, OneLine) for each in logger.filters):
            logger.filters.insert(0, OneLine())


def _is_clear(error: BaseException, record: logging.LogRecord) -> bool:
    """Whether the message says what there is to know: a 4xx, or an error of ours whatever its status."""
    if record.filename == _AUTHENTICATION and type(error) in _BARE:
        return True
    return any(getattr(each, CLEAR, False) or 400 <= _status(each) < 500 for each in _wrapped(error))


def _status(error: BaseException) -> int:
    for name in ("status_code", "code"):
        value = getattr(error, name, None)
        if isinstance(value, int) or (isinstance(value, str) and value.isdecimal()):
            return int(value)
    return 0


def _wrapped(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what LiteLLM has wrapped in it."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        yield error
        seen.append(error)
        error = getattr(error, "original_exception", None) or error.__cause__


def _was_told(error: BaseException) -> bool:
    """Whether the request's log has a line about this failure: LiteLLM wraps it, and adds to its words."""
    noted = notes.current()
    text = str([*_wrapped(error)][-1])[:LONGEST]
    if noted is None or not text:
        return False
    if any(text in other or other in text for other in noted.told):
        return True
    noted.told.append(text)
    return False
