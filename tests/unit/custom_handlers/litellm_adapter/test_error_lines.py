"""Which failures are one line, and which keep their traceback."""

import logging
import re
from collections.abc import Callable, Iterator

import pytest

from custom_handlers.core import notes
from custom_handlers.litellm_adapter import error_lines
from custom_handlers.litellm_adapter.error_lines import CLEAR, LONGEST_LINE, OneLine

Told = Callable[..., str]


class CodedError(Exception):
    """One of LiteLLM's, or of FastAPI's."""

    def __init__(self, text: str, status: int | str, original: Exception | None = None) -> None:
        super().__init__(text)
        self.status_code, self.original_exception = status, original


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[Told]:
    """What is logged of an error, as text."""
    logger = logging.getLogger("of these tests")
    logger.addFilter(OneLine())

    def tell(error: Exception, text: str = "It failed: %s\nand more", **more: bool) -> str:
        caplog.clear()
        try:
            raise error
        except Exception as caught:
            logger.error(text, caught, exc_info=more.get("exc_info", True))
        return caplog.text

    yield tell
    logger.filters.clear()


@pytest.mark.parametrize("status", [400, "401", 404, 429, 499])
def test_a_4xx_is_one_line(told: Told, status: int | str) -> None:
    assert re.fullmatch(r"ERROR.*It failed: words and more\n", told(CodedError("words", status)))


@pytest.mark.parametrize("error", [CodedError("words", 500), CodedError("words", "none"), KeyError("words")])
def test_whatever_else_keeps_its_traceback(told: Told, error: Exception) -> None:
    assert "Traceback (most recent call last)" in told(error)


def test_an_error_of_ours_is_one_line_however_it_is_wrapped(told: Told) -> None:
    ours = CodedError("ours", 502)
    setattr(ours, CLEAR, True)
    assert "Traceback" not in told(ours)
    assert "Traceback" not in told(CodedError("wrapped", 503, ours))


def test_a_line_is_not_as_long_as_a_client_likes(told: Told) -> None:
    line = told(CodedError("x" * 1_000_000, 400))
    assert len(line) < LONGEST_LINE + 100
    assert line.endswith("xxx ...\n")


def test_a_traceback_in_the_message_goes_as_well(told: Told) -> None:
    text = "It failed - %s\nTraceback (most recent call last):\n  File x\nE: words"
    assert told(CodedError("words", 404), text, exc_info=False).endswith("It failed - words\n")
    assert "File x" in told(KeyError("words"), text, exc_info=False)


def test_nobody_ends_the_line(told: Told) -> None:
    assert told(CodedError("a\nERROR forged\x1b[1m", 400)).endswith("It failed: a ERROR forged?[1m and more\n")


def test_a_request_tells_of_a_failure_once(told: Told) -> None:
    notes.begin()
    first = CodedError("litellm.BadRequestError: words", 400)
    assert told(first) != ""
    assert told(CodedError("litellm.MidStream: words", 400, first)) == ""
    assert told(CodedError("litellm.BadRequestError: words\n\nLiteLLM: no fallback", 400)) == ""
    assert told(CodedError("other words", 400)) != ""
    notes.begin()
    assert told(first) != ""


def test_litellms_loggers_are_shortened_once() -> None:
    error_lines.shorten()
    error_lines.shorten()
    for name in error_lines.LOGGERS:
        logger = logging.getLogger(name)
        assert [type(each) for each in logger.filters].count(OneLine) == 1
        assert isinstance(logger.filters[0], OneLine)
