"""Whether an answer is right. Values are compared with their types: the number 90 is neither "90" nor true."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from gateway.doctor.deep.case import Check, Reply


class Like:
    """A text in which a pattern is found, where the wording is the model's."""

    def __init__(self, pattern: str) -> None:
        self.pattern = re.compile(pattern, re.IGNORECASE | re.DOTALL)


def calls(*wanted: tuple[str, Mapping[str, Any]]) -> Check:
    """These calls and no others, in any order."""

    def check(reply: Reply) -> str:
        if not reply.calls:
            return f"no call, where {_tools(wanted)} was to be called"
        left = list(reply.calls)
        for name, arguments in wanted:
            named = [call for call in left if call.name == name]
            if not named:
                return f"{name} was not called" if name not in [call.name for call in reply.calls] else _fewer(name)
            fits = next((call for call in named if same(call.arguments, arguments)), None)
            if fits is None:
                return f"{name} was called with {_difference(named[0].arguments, arguments)}"
            left.remove(fits)
        return f"{len(left)} calls too many" if left else ""

    return check


def says(pattern: str) -> Check:
    """A text with this in it, and no call."""
    found = Like(pattern)

    def check(reply: Reply) -> str:
        if reply.calls:
            return "a tool was called, where none was to be"
        return "" if found.pattern.search(reply.text) else "the answer lacks what it was to hold"

    return check


def is_json(wanted: Any) -> Check:
    """A text that is this JSON and nothing else."""

    def check(reply: Reply) -> str:
        try:
            found = json.loads(reply.text)
        except (ValueError, RecursionError):
            return "the answer is no JSON"
        return "" if same(found, wanted) else f"the JSON has {_difference(found, wanted)}"

    return check


def same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, Like):
        return isinstance(found, str) and wanted.pattern.search(found) is not None
    if isinstance(wanted, Mapping):
        if not isinstance(found, Mapping) or found.keys() != wanted.keys():
            return False
        return all(same(found[key], value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(same, found, wanted))
    if isinstance(wanted, bool) or wanted is None or isinstance(wanted, str):
        return type(found) is type(wanted) and found == wanted
    return isinstance(found, int | float) and not isinstance(found, bool) and found == wanted


def _difference(found: Any, wanted: Any) -> str:
    """Where they differ, in words of the case alone."""
    if not isinstance(found, Mapping) or not isinstance(wanted, Mapping):
        return "something that is not as asked"
    parts = [f"no {key}" for key in wanted if key not in found]
    parts += [f"another {key}" for key in wanted if key in found and not same(found[key], wanted[key])]
    if more := len(found.keys() - wanted.keys()):
        parts.append(f"{more} fields too many")
    return ", ".join(parts)


def _tools(wanted: tuple[tuple[str, Mapping[str, Any]], ...]) -> str:
    return " and ".join(dict.fromkeys(name for name, _ in wanted))


def _fewer(name: str) -> str:
    return f"{name} was called too few times"
