"""Names and types, never a value: what may stand in a file that a user sends to others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

HIDDEN = "(a name that is not told)"
_NAME = re.compile(r"[A-Za-z](?:[A-Za-z_-]|[0-9](?![0-9])){0,39}")
_MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z.+-]{1,40}")
_CHARSET = re.compile(r"(?:utf-8|us-ascii|iso-8859-1)")
_MOST_NAMES, _DEEPEST, _SHORTEST_SECRET = 60, 3, 4


class Shapes:
    """Tells shapes; a name that is like one of `secrets` is not told."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = [secret.lower() for secret in secrets if len(secret) >= _SHORTEST_SECRET]

    def name(self, name: str) -> str:
        lower = name.lower()
        if not _NAME.fullmatch(name) or any(secret in lower for secret in self._secrets):
            return HIDDEN
        return name

    def names(self, names: Iterable[str]) -> list[str]:
        return sorted({self.name(name) for name in names})[:_MOST_NAMES]

    def of(self, value: Any, depth: int = 0) -> str:
        if isinstance(value, Mapping):
            if depth == _DEEPEST or not value:
                return "object" if value else "{}"
            fields = {self.name(str(key)): self.of(each, depth + 1) for key, each in list(value.items())[:_MOST_NAMES]}
            return "{" + ", ".join(f"{key}: {told}" for key, told in fields.items()) + "}"
        if isinstance(value, list):
            first = f" of {self.of(value[0], depth + 1)}" if value and depth < _DEEPEST else ""
            return f"list ({len(value)}){first}"
        return kind(value)


def kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "text that is a number" if value.isdecimal() else "text" if value else "empty text"
    if isinstance(value, int | float):
        return "number"
    return "list" if isinstance(value, list) else "object"


def media_type(header: str) -> str:
    """A content type, with a charset that is known."""
    found, _, parameters = header.lower().partition(";")
    if not found.strip():
        return "none"
    told = found.strip() if _MEDIA_TYPE.fullmatch(found.strip()) else "(another)"
    charset = _CHARSET.search(parameters)
    return f"{told}; charset={charset[0]}" if charset else told
