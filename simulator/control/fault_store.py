"""Which faults are in force for what, and the reading of them from control calls."""

from __future__ import annotations

import types
from dataclasses import fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from simulator.control.faults import Faults, ModelFaults, ServiceFaults
from simulator.control.replies import ScriptError

_HINTS = get_type_hints(Faults)
_ANY_SERVICE = frozenset(field.name for field in fields(ServiceFaults))
_ANY_MODEL = frozenset(field.name for field in fields(ModelFaults))
_COMMANDS_ONLY = frozenset(("fail_execution",))
_NAMES = frozenset(field.name for field in fields(Faults))

EVERY_AGENT = "agents"
SERVICES: dict[str, frozenset[str]] = {
    "key": _ANY_MODEL,
    "token": _ANY_SERVICE,
    "uploads": _ANY_SERVICE,
    "storage": _ANY_SERVICE,
    "quick-commands": _ANY_SERVICE | _COMMANDS_ONLY | {"rate_limit", "rate_window"},
}
"""What else than an agent can be given faults, and which ones mean something there."""


def for_account(service: str, client_id: str) -> str:
    """The target that is `service` for one account alone."""
    return f"{service}@{client_id}"


def service_of(target: str) -> str:
    """The service behind such a target; any other target as it is."""
    return target.partition("@")[0]


def read_faults(value: Any, target: str) -> Faults:
    """A `Faults` from a JSON object; a `ScriptError` names what is unknown, of the wrong type or meaningless here."""
    if not isinstance(value, dict):
        raise ScriptError("Faults are an object, or a list of objects that are used up one after the other.")
    known = SERVICES.get(service_of(target), _NAMES - _COMMANDS_ONLY)
    for name, given in value.items():
        if name not in _NAMES:
            raise ScriptError(f"There is no fault {name}; there are: {', '.join(sorted(known))}.")
        if name not in known:
            raise ScriptError(f"The fault {name} means nothing for {target}; there are: {', '.join(sorted(known))}.")
        if not _fits(given, _HINTS[name]):
            raise ScriptError(f"The fault {name} cannot be {given!r}: it is {_describe(_HINTS[name])}.")
        if isinstance(given, int | float) and not isinstance(given, bool) and given < 0:
            raise ScriptError(f"The fault {name} cannot be negative.")
    for name in ("times", "deltas_per_write", "cut_bytes"):
        if value.get(name) == 0:
            raise ScriptError(f"The fault {name} must be at least 1.")
    return Faults(**value)


def _fits(value: Any, hint: Any) -> bool:
    origin = get_origin(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(_fits(value, option) for option in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if origin is dict:
        return isinstance(value, dict) and all(isinstance(k, str) and isinstance(v, str) for k, v in value.items())
    if hint is type(None):
        return value is None
    if hint is bool or isinstance(value, bool):
        return hint is bool and isinstance(value, bool)
    return isinstance(value, int | float) if hint is float else isinstance(value, hint)


def _describe(hint: Any) -> str:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_describe(option) for option in get_args(hint))
    if origin is Literal:
        return " or ".join(repr(option) for option in get_args(hint))
    if hint is type(None):
        return "null"
    return {"int": "an integer", "float": "a number", "str": "a string", "bool": "true or false"}.get(
        getattr(hint, "__name__", ""), "an object of strings"
    )


class FaultStore:
    """The faults in force, by target. An agent's own come before those of every agent."""

    def __init__(self) -> None:
        self._lists: dict[str, list[tuple[Faults, int | None]]] = {}

    def clear(self, target: str | None = None) -> None:
        """Drop the faults of `target`, or all."""
        if target is None:
            self._lists.clear()
        else:
            self._lists.pop(target, None)

    def put(self, target: str, faults: list[Faults]) -> None:
        """Replace the faults of `target`; each is used up before the next comes into force."""
        self._lists[target] = [(item, item.times) for item in faults]

    def take(self, *targets: str) -> Faults:
        """The faults for one request: of the first target that has any left. Counts the request."""
        for target in targets:
            waiting = self._lists.get(target)
            while waiting:
                faults, left = waiting[0]
                if left is None:
                    return faults
                if left > 1:
                    waiting[0] = (faults, left - 1)
                else:
                    waiting.pop(0)
                return faults
        return _NONE


_NONE = Faults()
