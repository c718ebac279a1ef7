"""Reads a value that misfits its schema as the one that was meant, where exactly one reading fits.

Models write "30" for 30, null for what they leave out, one string for a list of strings, a list as JSON text. Nothing
that fits is touched, and where two readings fit, none is taken.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from jsonschema.exceptions import ValidationError

from custom_handlers.emulation.json_schema.budget import Budget, BudgetExceededError
from custom_handlers.emulation.json_schema.run import RUN, errors, fits
from custom_handlers.emulation.json_schema.schema import Schema
from custom_handlers.emulation.json_schema.values import canonical
from custom_handlers.emulation.lenient_json import InvalidJSONError, read

_DEEPEST = 5
_MOST_PROBLEMS = 500
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,30})(?:\.\d{1,30})?(?:[eE][+-]?\d{1,2})?")
_LIKE_JSON = re.compile(r"[\[{]\s*(?:[\"\[{\d\]}-]|true|false|null)")
_WORDS = {"true": True, "false": False}
_NOTHING = {"", "null", "none"}
_WRAPPERS = {"item", "arguments", "args"}
_KINDS = {"type", "enum", "const", "anyOf", "oneOf"}
_NAMES = {"required", "additionalProperties", "unevaluatedProperties"}
_LEFT_OUT = object()


@dataclass(frozen=True, slots=True)
class Reading:
    """`value` as it is meant; why it does not fit even so; whether finding that out takes too long here."""

    value: Any
    misfit: str | None = None
    unproven: bool = False


def convert(schema: Schema, value: Any, budget: Budget) -> Reading:
    try:
        misfit = schema.check(value, budget)
    except BudgetExceededError:
        return Reading(value, unproven=True)
    if misfit is None:
        return Reading(value)
    try:
        found = schema.within(budget, lambda root: _readings(value, root))
    except BudgetExceededError:
        found = []
    return Reading(found[0]) if found and len(found) == 1 else Reading(value, misfit)


def _readings(value: Any, schema: Any, depth: int = _DEEPEST, *, whole: bool = True) -> list[Any]:
    """Every reading of `value` that fits, of which there is one if it fits itself. With `whole` it may become something
    else altogether, otherwise only what it holds.
    """
    problems = list(islice(errors(value, schema), _MOST_PROBLEMS))
    if not problems:
        return [value]
    if not depth or len(problems) == _MOST_PROBLEMS:
        return []
    found: dict[str, Any] = {}
    for candidate in _candidates(value, schema, problems, depth, whole):
        if fits(candidate, schema):
            found.setdefault(canonical(candidate, RUN.get().budget.spend), candidate)
            if len(found) > 1:
                break
    return list(found.values())


def _candidates(value: Any, schema: Any, problems: list[ValidationError], depth: int, whole: bool) -> Iterator[Any]:
    own = [problem for problem in problems if not problem.path]
    if len(own) < len(problems):
        yield from _mended(value, [problem for problem in problems if problem.path], depth)
    for problem in own:
        if problem.validator in ("anyOf", "oneOf"):
            for branch in cast(list[Any], problem.validator_value):
                yield from _readings(value, branch, depth - 1, whole=whole)
    if isinstance(value, dict) and any(problem.validator in _NAMES for problem in own):
        renamed = _renamed(value, own)
        if renamed != value:
            yield from _readings(renamed, schema, depth - 1, whole=False)
    if whole:
        for candidate, further in _other_forms(value, own):
            yield from _readings(candidate, schema, depth - 1, whole=further)


def _mended(value: Any, problems: list[ValidationError], depth: int) -> Iterator[Any]:
    """`value` with each misfit inside it read as what is meant, if all of them can be."""
    by_path: dict[tuple[Any, ...], list[Any]] = {}
    for problem in problems:
        by_path.setdefault(tuple(problem.path), []).append(problem.schema)
    changes: dict[tuple[Any, ...], Any] = {}
    for path, schemas in by_path.items():
        if any(path[:end] in by_path for end in range(1, len(path))):
            continue
        parent = value
        for key in path[:-1]:
            parent = parent[key]
        inner = parent[path[-1]]
        readings = [
            reading
            for reading in _readings(inner, schemas[0], depth - 1)
            if all(fits(reading, schema) for schema in schemas[1:])
        ]
        if not readings and isinstance(parent, dict) and _is_nothing(inner):
            readings = [_LEFT_OUT]
        if len(readings) != 1:
            return
        changes[path] = readings[0]
    yield _replaced(value, changes)


def _is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() in _NOTHING)


def _replaced(value: Any, changes: dict[tuple[Any, ...], Any]) -> Any:
    if () in changes:
        return changes[()]
    RUN.get().budget.spend(len(value) // 8)
    copy = value.copy()
    inner: dict[Any, dict[tuple[Any, ...], Any]] = {}
    for path, change in changes.items():
        inner.setdefault(path[0], {})[path[1:]] = change
    for key, below in inner.items():
        if below.get(()) is _LEFT_OUT:
            del copy[key]
        else:
            copy[key] = _replaced(value[key], below)
    return copy


def _renamed(value: dict[str, Any], problems: list[ValidationError]) -> dict[str, Any]:
    """`value` with the names of the schema for those that differ from them in case and separators alone."""
    known: dict[str, Any] = {}
    for problem in problems:
        if isinstance(problem.schema, dict) and isinstance(properties := problem.schema.get("properties"), dict):
            known |= properties
    RUN.get().budget.spend(len(known) + len(value))
    folded: dict[str, list[str]] = {}
    for name in known:
        folded.setdefault(_folded(name), []).append(name)
    renamed: dict[str, Any] = {}
    for name, item in value.items():
        meant = folded.get(_folded(name), []) if name not in known else []
        if len(meant) == 1 and meant[0] not in value and meant[0] not in renamed:
            renamed[meant[0]] = item
        else:
            renamed[name] = item
    return renamed


def _folded(name: str) -> str:
    return re.sub(r"[\s_-]", "", name[:200]).casefold()


def _other_forms(value: Any, problems: list[ValidationError]) -> Iterator[tuple[Any, bool]]:
    """What `value` could be meant as; whether that can again be meant as something else."""
    wrong = {problem.validator for problem in problems}
    if isinstance(value, dict) and len(value) == 1 and wrong & (_KINDS | _NAMES):
        yield from ((inner, True) for key, inner in value.items() if key in _WRAPPERS)
    # Another kind of value could otherwise pass by keywords that are not for it.
    if not wrong & _KINDS:
        return
    match value:
        case str():
            yield from _of_text(value, problems)
        case dict():
            yield [value], False
        case list():
            if len(value) == 1:
                yield value[0], False
            if not value:
                yield {}, False
        case bool() | int() | float():
            # Not any text: 5 could have been meant as 05.
            yield from _allowed(str(value), problems)
            yield [value], False


def _of_text(value: str, problems: list[ValidationError]) -> Iterator[tuple[Any, bool]]:
    text = value.strip()
    RUN.get().budget.spend(len(text) // 500)
    yield from _allowed(text, problems)
    if text.startswith(("[", "{")):
        try:
            values = read(text, closed=False)
        except InvalidJSONError:
            values = []
        if len(values) == 1:
            yield values[0], True
        if values or _LIKE_JSON.match(text):  # with a mistake in it, it is no text either; [id].tsx is
            return
    if text.lower() in _WORDS:
        yield _WORDS[text.lower()], False
    elif _NUMBER.fullmatch(text):
        yield (float(text) if re.search("[.eE]", text) else int(text)), False
    elif text.lower() in ("null", "none"):
        yield None, False
    if text:
        yield [value], False


def _allowed(text: str, problems: list[ValidationError]) -> Iterator[tuple[str, bool]]:
    """What an enum or a constant has for `text`. Of two that differ in case alone, none is meant."""
    for problem in problems:
        wanted: Any = problem.validator_value
        for each in {"enum": wanted, "const": [wanted]}.get(str(problem.validator), []):
            if isinstance(each, str) and each.strip().casefold() == text.casefold():
                yield each, False
