"""What each draft of JSON schema allows a keyword to hold, and which of that are schemas again.

The meta-schemas say the same, but checking by them takes some fifty times as long, and many callers of ours write a
title or a format that is none: only what bears on a check counts.
"""

from collections.abc import Callable, Iterable, Mapping, Sized
from typing import Any, TypeAlias

from jsonschema import (
    Draft3Validator,
    Draft4Validator,
    Draft6Validator,
    Draft7Validator,
    Draft201909Validator,
    Draft202012Validator,
)

from custom_handlers.emulation.json_schema.values import short

# Where a part stands: its key, behind the place of what holds it. Put together only for an error.
Place: TypeAlias = tuple[Any, Any]
Schemas: TypeAlias = list[tuple[Any, Place]]
MOST_PARTS = 5_000
_TYPES = {"array", "boolean", "integer", "null", "number", "object", "string"}
_LONGEST_NAME = 40
_MOST_KEYS = 20
_PER_PART = 50  # names in a list cost little


class InvalidSchemaError(ValueError):
    """Where a schema does not fit a draft, and why."""


class SchemaTooComplexError(ValueError):
    """The schema asks for more work than a request may; says where and why."""


def json_path(place: Place) -> str:
    """`place` as JSONPath has it, without the middle of a long one."""
    keys: list[str] = []
    inner: Any = place
    while inner:
        inner, key = inner
        keys.append(f"[{key}]" if isinstance(key, int) else f".{key[:_LONGEST_NAME]}" if inner else key)
    keys.reverse()
    return "".join(keys if len(keys) <= _MOST_KEYS else [*keys[: _MOST_KEYS - 2], "…", keys[-1]])


class Draft:
    """`kind` is jsonschema's validator; `booleans` says whether true and false are schemas everywhere."""

    def __init__(self, name: str, kind: Any, shapes: Mapping[str, str], types: Iterable[str] = _TYPES) -> None:
        self.name = name
        self.kind = kind
        self.booleans = name not in ("draft-03", "draft-04")
        self._shapes = shapes
        self._types = frozenset(types)

    def read(self, part: dict[str, Any], place: Place) -> tuple[Schemas, Schemas, int]:
        """The schemas in `part` for the same value, those for deeper ones, and a size. Raises Misshapen."""
        same: Schemas = []
        deeper: Schemas = []
        size = 0
        for keyword, value in part.items():
            if not (shape := self._shapes.get(keyword)):
                if not _could_be(_DRAFT_2020.get(keyword, ""), value):
                    raise InvalidSchemaError(f"{json_path((place, keyword))} must be {_DRAFT_2020[keyword]}")
                continue
            if check := _CHECKS.get(shape):
                if not check(value):
                    raise InvalidSchemaError(f"{json_path((place, keyword))} must be {shape}")
                size += len(value) // _PER_PART if isinstance(value, list) else 0
            elif shape == "type":
                same += self._types_in(value, (place, keyword))
            else:
                found = _SCHEMAS[shape](value, (place, keyword))
                if found is None:
                    raise InvalidSchemaError(f"{json_path((place, keyword))} must be {shape}")
                if not self.booleans and "or boolean" in shape:
                    found = [(schema, at) for schema, at in found if not isinstance(schema, bool)]
                (same if keyword in _SAME_VALUE else deeper).extend(found)
                size += len(value) // _PER_PART if shape == "schemas or lists of names" else 0
        return same, deeper, size

    def _types_in(self, value: Any, place: Place) -> Schemas:
        """Gemini's clients write STRING, C#'s write String. In draft 3 a type can be a schema."""
        types = value if isinstance(value, list) and value else [value]
        schemas: Schemas = []
        for found in types:
            if isinstance(found, dict) and "any" in self._types:
                schemas.append((found, place))
            elif not isinstance(found, str) or found.lower() not in self._types:
                raise InvalidSchemaError(f"{json_path(place)} must name types, and {short(found)} is none")
        return schemas


def _could_be(shape: str, value: Any) -> bool:
    """Can a keyword that an older draft does not know hold `value` in the newest? Otherwise everything would fit one
    of the older.
    """
    if check := _CHECKS.get(shape):
        return check(value)
    if read := _SCHEMAS.get(shape):
        found = read(value, (None, ""))
        return found is not None and all(isinstance(schema, dict | bool) for schema, _ in found)
    return True


def _one(value: Any, place: Place) -> Schemas | None:
    return [(value, place)] if isinstance(value, dict | bool) else None


def _list(value: Any, place: Place) -> Schemas | None:
    if not isinstance(value, list):
        return None
    _bounded(value, place)
    return [(schema, (place, i)) for i, schema in enumerate(value)]


def _named(value: Any, place: Place) -> Schemas | None:
    if not isinstance(value, dict):
        return None
    _bounded(value, place)
    return [(schema, (place, name)) for name, schema in value.items()]


def _bounded(value: Sized, place: Place) -> None:
    if len(value) > MOST_PARTS:
        raise SchemaTooComplexError(f"{json_path(place)} has more than {MOST_PARTS} parts")


def _one_or_list(value: Any, place: Place) -> Schemas | None:
    return _list(value, place) if isinstance(value, list) else _one(value, place)


def _dependencies(value: Any, place: Place) -> Schemas | None:
    if not isinstance(value, dict) or not all(
        isinstance(each, dict | bool | str) or _names(each) for each in value.values()
    ):
        return None
    return _named({name: each for name, each in value.items() if isinstance(each, dict | bool)}, place)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


_CHECKS: dict[str, Callable[[Any], bool]] = {
    "a number": _number,
    "a number above 0": lambda value: _number(value) and value > 0,
    "a whole number from 0": lambda value: _number(value) and value >= 0 and value == value // 1,
    "true or false": lambda value: isinstance(value, bool),
    "text": lambda value: isinstance(value, str),
    "a list": lambda value: isinstance(value, list),
    "a list of names": _names,
    "lists of names": lambda value: isinstance(value, dict) and all(map(_names, value.values())),
}
_SCHEMAS: dict[str, Callable[[Any, Place], Schemas | None]] = {
    "a schema": _one,
    "a schema or boolean": _one,
    "a list of schemas": _list,
    "a schema or a list of schemas": _one_or_list,
    "an object of schemas": _named,
    "schemas or lists of names": _dependencies,
}
_SAME_VALUE = {*("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies", "extends")}
_DRAFT_3 = {
    **dict.fromkeys(("properties", "patternProperties"), "an object of schemas"),
    **dict.fromkeys(("additionalProperties", "additionalItems"), "a schema or boolean"),
    "items": "a schema or a list of schemas",
    **dict.fromkeys(("minimum", "maximum"), "a number"),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), "a whole number from 0"),
    **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum", "uniqueItems"), "true or false"),
    **dict.fromkeys(("pattern", "$ref"), "text"),
    "enum": "a list",
    "type": "type",
    "dependencies": "schemas or lists of names",
}
_DRAFT_4 = {
    **_DRAFT_3,
    **dict.fromkeys(("allOf", "anyOf", "oneOf"), "a list of schemas"),
    "not": "a schema",
    **dict.fromkeys(("minProperties", "maxProperties"), "a whole number from 0"),
    "multipleOf": "a number above 0",
    "required": "a list of names",
}
_DRAFT_6 = {
    **_DRAFT_4,
    **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), "a number"),
    **dict.fromkeys(("contains", "propertyNames"), "a schema"),
}
_DRAFT_7 = {**_DRAFT_6, **dict.fromkeys(("if", "then", "else"), "a schema")}
_DRAFT_2019 = {
    **{keyword: shape for keyword, shape in _DRAFT_7.items() if keyword != "dependencies"},
    **dict.fromkeys(("unevaluatedItems", "unevaluatedProperties"), "a schema"),
    **dict.fromkeys(("minContains", "maxContains"), "a whole number from 0"),
    "dependentSchemas": "an object of schemas",
    "dependentRequired": "lists of names",
}
_DRAFT_2020 = {
    **{keyword: shape for keyword, shape in _DRAFT_2019.items() if keyword != "additionalItems"},
    "items": "a schema",
    "prefixItems": "a list of schemas",
}
# A schema that does not say is read by the first that it fits.
DRAFTS = (
    Draft("2020-12", Draft202012Validator, _DRAFT_2020),
    Draft("2019-09", Draft201909Validator, _DRAFT_2019),
    Draft("draft-07", Draft7Validator, _DRAFT_7),
    Draft("draft-06", Draft6Validator, _DRAFT_6),
    Draft("draft-04", Draft4Validator, _DRAFT_4),
    Draft(
        "draft-03",
        Draft3Validator,
        {
            **_DRAFT_3,
            "extends": "a schema or a list of schemas",
            "disallow": "type",
            "required": "true or false",
            "divisibleBy": "a number above 0",
        },
        {*_TYPES, "any"},
    ),
)
