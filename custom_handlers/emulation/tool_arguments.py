"""Which tool a call means, and its arguments as they can be passed on.

The name is held against the tools' in the forms that models give it: with the namespace of another vendor's format,
with that of the tool left out, in another case. Exact names win, and what could mean two tools means none.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from custom_handlers.emulation.conversion import convert
from custom_handlers.emulation.json_schema.budget import Budget
from custom_handlers.emulation.json_schema.schema import Schema
from custom_handlers.emulation.lenient_json import InvalidJSONError, dumps, read
from custom_handlers.emulation.role_headers import shown_name

_BETWEEN = re.compile(r"__|[./:]")
_IGNORED = re.compile(r"[\s_-]")
_LONGEST_NAME = 300


@dataclass(frozen=True, slots=True)
class Arguments:
    """A call of the tool `name` as it can be passed on: `json` is strict JSON of an object.

    `misfit` says, for the model, why it does not fit the tool's schema. `unproven` says that finding out takes too long
    in this process: `prove` can do it.
    """

    name: str
    json: str
    misfit: str | None = None
    unproven: bool = False


def meant(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `name` means, or None."""
    names = list(names)
    tidy = name.strip()[:_LONGEST_NAME]
    for exact in (name, tidy):
        if exact in names:
            return exact
    for fold in (_split, _folded):
        given = fold(tidy)
        by_parts = {known: fold(known) for known in names}
        for same in (_equal, _ends_alike):
            found = [known for known, parts in by_parts.items() if same(given, parts)]
            if found:
                return found[0] if len(found) == 1 else None
    return None


def _split(name: str) -> list[str]:
    return _BETWEEN.split(name)


def _folded(name: str) -> list[str]:
    return [_IGNORED.sub("", part).casefold() for part in _split(name.strip())]


def _equal(one: list[str], other: list[str]) -> bool:
    return one == other and any(one)


def _ends_alike(one: list[str], other: list[str]) -> bool:
    shorter = min(len(one), len(other))
    return one[-shorter:] == other[-shorter:] and bool(one[-1])


def read_arguments(
    name: str, schema: Schema, parameters: Any, given: Any, budget: Budget, *, custom: bool
) -> Arguments:
    """`given` for the tool `name`: an object, its JSON, or the text that is the only argument. Raises Unreadable."""
    reading = convert(schema, _as_object(name, parameters, given, custom), budget)
    if not isinstance(reading.value, Mapping):
        raise InvalidJSONError(f"the arguments of `{shown_name(name)}` are not an object")
    misfit = reading.misfit and f"the arguments do not fit the schema of `{shown_name(name)}`: {reading.misfit}"
    return Arguments(name, dumps(reading.value), misfit, reading.unproven)


def _as_object(name: str, parameters: Any, given: Any, custom: bool) -> Any:
    if given is None or (isinstance(given, str) and given.strip().lower() in ("", "null", "none")):
        return {}
    parameters = parameters if isinstance(parameters, Mapping) else {}
    properties = parameters.get("properties")
    properties = properties if isinstance(properties, Mapping) else {}
    if isinstance(given, str):
        return _from_text(name, given, _only_text(parameters, properties), custom)
    if isinstance(given, list) and len(given) < 2:
        return given[0] if given else {}
    return given


def _from_text(name: str, text: str, only: str | None, custom: bool) -> Any:
    looks_like_json = text.lstrip().startswith("{")
    if looks_like_json or not only:
        try:
            values = read(text)
        except InvalidJSONError as invalid:
            # What begins like JSON for a tool that takes JSON is that, with a mistake in it.
            if not (custom and only):
                raise InvalidJSONError(f"the arguments of `{shown_name(name)}` cannot be read: {invalid}") from None
        else:
            if len(values) == 1 and isinstance(values[0], dict) and not (custom and values[0].keys() != {only}):
                return values[0]
    if only:
        return {only: text}
    raise InvalidJSONError(f"the arguments of `{shown_name(name)}` are not an object")


def _only_text(parameters: Mapping[str, Any], properties: Mapping[str, Any]) -> str | None:
    """The property that a text alone can be meant for: the one that is required, or that there is."""
    required = parameters.get("required")
    names = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
    names = names or list(properties)
    if len(names) != 1 or not isinstance(schema := properties.get(names[0]), Mapping):
        return None
    types = schema.get("type")
    return (
        names[0]
        if "string" in [str(each).lower() for each in (types if isinstance(types, list) else [types])]
        else None
    )
