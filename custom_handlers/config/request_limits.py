"""How much one request may hold: settings from the environment.

The defaults are several times what coding agents were seen to send (a thousand messages, 128 tools), and low enough
that what LiteLLM does with a request at the limit makes no other request wait for half a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """The most of each that one request may hold."""

    max_body_mb: int = 20
    max_messages: int = 2000
    max_tools: int = 512
    max_json_values: int = 100_000
    max_json_depth: int = 100

    @property
    def body_bytes(self) -> int:
        return self.max_body_mb * MEGABYTE


# Each variable with its field and the most that it may be set to; beyond those two LiteLLM itself would break.
_FIELDS = {
    "STACKSPOT_MAX_BODY_MB": ("max_body_mb", 1000),
    "STACKSPOT_MAX_MESSAGES": ("max_messages", 10_000_000),
    "STACKSPOT_MAX_TOOLS": ("max_tools", 10_000_000),
    "STACKSPOT_MAX_JSON_VALUES": ("max_json_values", 10_000_000),
    "STACKSPOT_MAX_JSON_DEPTH": ("max_json_depth", 250),
}
VARIABLES = tuple(_FIELDS)


def read_limits(environ: Mapping[str, str], mistakes: list[str]) -> RequestLimits:
    """The limits that `environ` sets; what is wrong with them is added to `mistakes`."""
    found = {}
    for name, (field, most) in _FIELDS.items():
        text = environ.get(name, "").strip()
        if text.isascii() and text.isdecimal() and 1 <= int(text[:20]) <= most:
            found[field] = int(text)
        elif text:
            mistakes.append(f"{name} must be a whole number from 1 to {most}.")
    return RequestLimits(**found)
