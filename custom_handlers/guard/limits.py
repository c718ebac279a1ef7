"""How much one request may hold: settings from the environment.

The defaults are several times what coding agents were seen to send (a thousand messages, 128 tools), and low enough
that what LiteLLM does with a request at the limit makes no other request wait for half a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """By the names of their variables: STACKSPOT_MAX_BODY_MB and so on."""

    max_body_mb: int = 20
    max_messages: int = 2000
    max_tools: int = 512
    max_json_values: int = 100_000
    max_json_depth: int = 100

    @property
    def body_bytes(self) -> int:
        return self.max_body_mb * MEGABYTE


MOST = {"STACKSPOT_MAX_BODY_MB": 1000, "STACKSPOT_MAX_JSON_DEPTH": 250}  # beyond these LiteLLM itself would break
_MOST_OTHERWISE = 10_000_000


def variable(name: str) -> str:
    """The variable that sets the field `name`."""
    return f"STACKSPOT_{name.upper()}"


VARIABLES = tuple(variable(field.name) for field in fields(Limits))


def read_limits(environ: Mapping[str, str], mistakes: list[str]) -> Limits:
    """The limits that `environ` sets; what is wrong with them is added to `mistakes`."""
    found = {}
    for field in fields(Limits):
        name = variable(field.name)
        text = environ.get(name, "").strip()
        most = MOST.get(name, _MOST_OTHERWISE)
        if not text:
            continue
        if text.isascii() and text.isdecimal() and 1 <= int(text[:20]) <= most:
            found[field.name] = int(text)
        else:
            mistakes.append(f"{name} must be a whole number from 1 to {most}.")
    return Limits(**found)
