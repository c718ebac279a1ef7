"""Which requests are read where they come in: for most of them a thread costs more than what it would do."""

from collections.abc import Mapping
from typing import Any

_MOST = 16_000  # characters, of which each value counts as some: no more than a millisecond of work
_VALUE = 8
# These are looked through as a whole, and their schemas can hold more work than their length says.
_FIELDS = ("tools", "functions", "response_format")


def is_short(messages: Any, parameters: Mapping[str, Any]) -> bool:
    """Is there so little in a request that the others need not have their turn meanwhile?"""
    if any(parameters.get(name) for name in _FIELDS):
        return False
    left, waiting = _MOST, [messages]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            left -= len(value)
        elif isinstance(value, Mapping | list | tuple):
            left -= _VALUE * len(value)
            if left >= 0:
                waiting += value.values() if isinstance(value, Mapping) else value
        if left < 0:
            return False
    return True
