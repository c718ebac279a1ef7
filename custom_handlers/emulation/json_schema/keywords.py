"""The keywords that hold no schemas, for all drafts, with bounded work and short messages.

jsonschema's own compare each item with each other, print whole values and take decimals for binary fractions.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import isfinite
from typing import Any, TypeAlias

from jsonschema.exceptions import ValidationError

from custom_handlers.emulation.json_schema.run import RUN, fits, needed_beside
from custom_handlers.emulation.json_schema.values import canonical, short

Found: TypeAlias = Sequence[ValidationError] | None
Keyword: TypeAlias = Callable[[Any, Any, Any, Any], Found]


def _wrong(value: Any, problem: str) -> Found:
    return (ValidationError(f"{short(value)} {problem}"),)


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _limit(exclusive: str, beyond: Callable[[Any, Any], bool], words: str) -> Keyword:
    def keyword(_: Any, limit: Any, value: Any, schema: Any) -> Found:
        if not _number(value):
            return None
        if beyond(value, limit) or (value == limit and schema.get(exclusive) is True):  # true: drafts 3 and 4
            return _wrong(value, f"is {words} of {short(limit)}")
        return None

    return keyword


def _exclusive(within: Callable[[Any, Any], bool], words: str) -> Keyword:
    def keyword(_: Any, limit: Any, value: Any, __: Any) -> Found:
        if not _number(value) or isinstance(limit, bool) or within(value, limit):
            return None
        return _wrong(value, f"is not {words} {short(limit)}")

    return keyword


def _multiple_of(_: Any, step: Any, value: Any, __: Any) -> Found:
    """In decimals, as they are written: 8.61 is a multiple of 0.01."""
    if not _number(value) or not isfinite(_size(step)) or not isfinite(_size(value)):
        return None
    RUN.get().budget.spend(20 + (_bits(value) + _bits(step)) // 100)
    exact_value, exact_step = (Fraction(repr(n)) if isinstance(n, float) else n for n in (value, step))
    return _wrong(value, f"is not a multiple of {short(step)}") if exact_value % exact_step else None


def _size(number: Any) -> float:
    return number if isinstance(number, float) else 0.0


def _bits(number: Any) -> int:
    return number.bit_length() if isinstance(number, int) else 500


def _length(
    kind: type[str] | type[list[Any]] | type[dict[str, Any]], beyond: Callable[[int, Any], bool], words: str
) -> Keyword:
    def keyword(_: Any, limit: Any, value: Any, __: Any) -> Found:
        if isinstance(value, kind) and beyond(len(value), limit):
            return _wrong(value, f"is {words} {short(limit)}: its length is {len(value)}")
        return None

    return keyword


def _pattern(_: Any, pattern: Any, value: Any, __: Any) -> Found:
    if isinstance(value, str) and RUN.get().matches(pattern, value) is False:
        return _wrong(value, f"does not match {short(pattern)}")
    return None


def _type(validator: Any, types: Any, value: Any, _: Any) -> Found:
    types = types if isinstance(types, list) else [types]
    RUN.get().budget.spend(len(types))
    for found in types:
        if isinstance(found, dict):  # draft 3
            if fits(value, found):
                return None
        elif validator.is_type(value, found if found in _TYPES else found.lower()):
            return None
    return _wrong(value, f"is not of type {', '.join(short(found) for found in types[:8])}")


def _disallow(validator: Any, types: Any, value: Any, schema: Any) -> Found:
    return None if _type(validator, types, value, schema) else _wrong(value, "is of a type that is not allowed")


def _enum(_: Any, allowed: Any, value: Any, __: Any) -> Found:
    if canonical(value, RUN.get().budget.spend) in RUN.get().members(allowed):
        return None
    more = f" and {len(allowed) - 20} more" if len(allowed) > 20 else ""
    return _wrong(value, f"is not one of [{', '.join(map(short, allowed[:20]))}]{more}")


def _const(_: Any, wanted: Any, value: Any, __: Any) -> Found:
    spend = RUN.get().budget.spend
    return None if canonical(value, spend) == canonical(wanted, spend) else _wrong(value, f"is not {short(wanted)}")


def _unique_items(_: Any, wanted: Any, value: Any, __: Any) -> Found:
    if wanted is not True or not isinstance(value, list):
        return None
    seen: set[str] = set()
    for item in value:
        if (text := canonical(item, RUN.get().budget.spend)) in seen:
            return _wrong(value, f"holds {short(item)} more than once")
        seen.add(text)
    return None


def _required(_: Any, names: Any, value: Any, __: Any) -> Iterator[ValidationError]:
    if isinstance(value, dict) and isinstance(names, list):  # draft 3: a boolean, read with its property
        RUN.get().budget.spend(len(names) // 8)
        for name in names:
            if name not in value:
                yield ValidationError(f"{short(name)} is a required property", validator_value=[name])


def _dependent_required(_: Any, dependents: Any, value: Any, __: Any) -> Iterator[ValidationError]:
    for name, needed in dependents.items() if isinstance(value, dict) else ():
        RUN.get().budget.spend(1 + len(needed) // 8)
        if name in value:
            yield from needed_beside(name, needed, value)


def _format(*_: Any) -> Found:
    """No more than a note, as in jsonschema's default."""
    return None


_TYPES = {"array", "boolean", "integer", "null", "number", "object", "string", "any"}
KEYWORDS: dict[str, Any] = {
    "minimum": _limit("exclusiveMinimum", lambda value, limit: value < limit, "below the minimum"),
    "maximum": _limit("exclusiveMaximum", lambda value, limit: value > limit, "above the maximum"),
    "exclusiveMinimum": _exclusive(lambda value, limit: value > limit, "above"),
    "exclusiveMaximum": _exclusive(lambda value, limit: value < limit, "below"),
    "multipleOf": _multiple_of,
    "divisibleBy": _multiple_of,
    "minLength": _length(str, lambda length, limit: length < limit, "shorter than"),
    "maxLength": _length(str, lambda length, limit: length > limit, "longer than"),
    "minItems": _length(list, lambda length, limit: length < limit, "shorter than"),
    "maxItems": _length(list, lambda length, limit: length > limit, "longer than"),
    "minProperties": _length(dict, lambda length, limit: length < limit, "smaller than"),
    "maxProperties": _length(dict, lambda length, limit: length > limit, "larger than"),
    "pattern": _pattern,
    "type": _type,
    "disallow": _disallow,
    "enum": _enum,
    "const": _const,
    "uniqueItems": _unique_items,
    "required": _required,
    "dependentRequired": _dependent_required,
    "format": _format,
}
