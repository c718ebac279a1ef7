"""Checks what the caller sent beside the messages; a mistake is a BadRequestError naming parameter and range."""

import math
from collections.abc import Mapping
from typing import Any

from custom_handlers.core.errors import BadRequestError

_RANGES = {
    "temperature": (0.0, 1.0),
    "top_p": (0.0, 1.0),
    "presence_penalty": (-2.0, 2.0),
    "frequency_penalty": (-2.0, 2.0),
}
_MAX_STOPS = 16  # OpenAI allows 4; some clients send more, and they cost nothing here
_LONGEST_STOP = 1000  # characters: a longer one makes every piece of the answer expensive


def check(parameters: Mapping[str, Any]) -> None:
    """`parameters` as LiteLLM hands them on, null meaning absent. Raises BadRequestError."""
    for name, (low, high) in _RANGES.items():
        value = parameters.get(name)
        if value is not None and not (_is_number(value) and low <= value <= high):
            raise BadRequestError(f"`{name}` must be a number from {low} to {high}.", param=name)
    max_tokens = parameters.get("max_tokens")
    if max_tokens is not None and not (_is_whole(max_tokens) and max_tokens >= 1):
        raise BadRequestError("`max_tokens` must be a whole number from 1.", param="max_tokens")
    if (n := parameters.get("n")) is not None and not (_is_whole(n) and n == 1):
        raise BadRequestError("`n` must be 1: StackSpot gives one answer a call.", param="n")
    stop = parameters.get("stop")
    stops = [stop] if isinstance(stop, str) else stop
    if stops is not None and not (
        isinstance(stops, list)
        and len(stops) <= _MAX_STOPS
        and all(isinstance(text, str) and len(text) <= _LONGEST_STOP for text in stops)
    ):
        expected = f"a string or a list of up to {_MAX_STOPS} strings, each of up to {_LONGEST_STOP} characters"
        raise BadRequestError(f"`stop` must be {expected}.", param="stop")


def seconds(timeout: object) -> float | None:
    """LiteLLM's `timeout` argument (a number, an httpx.Timeout or None) in seconds. Raises BadRequestError."""
    value: Any = getattr(timeout, "read", timeout)
    if value is None:
        return None
    if not _is_number(value) or value <= 0:
        raise BadRequestError("`timeout` must be a number of seconds above 0.", param="timeout")
    return float(value)


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number of hundreds of digits
        return False


def _is_whole(value: Any) -> bool:
    return _is_number(value) and float(value) == int(value)
