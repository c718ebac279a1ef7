"""Checks values against a JSON schema that a caller sent: no network, no endless pattern, no exceptions of its own."""

import itertools
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import regex
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import SchemaError, ValidationError
from jsonschema_specifications import REGISTRY

_PATTERN_SECONDS = 0.1
_MOST_PROBLEMS = 3
_LONGEST = 300


class Schema:
    """Built once per schema; building is the dear part."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        usable = schema if isinstance(schema, Mapping | bool) else {}
        # REGISTRY holds the meta-schemas only: jsonschema's default would fetch a remote $ref.
        self._validator = _bounded(validators.validator_for(usable, Draft202012Validator))(usable, registry=REGISTRY)

    def mistake(self) -> str | None:
        """What is wrong with the schema itself, or None."""
        if not isinstance(self._schema, Mapping | bool):
            return "it is not an object"
        try:
            self._validator.check_schema(self._schema)
        except SchemaError as error:
            return _told(error)
        except Exception:
            return "it cannot be read"
        return None

    def problems(self, value: Any) -> str | None:
        """Why `value` does not fit, for the model to read, or None. A schema that cannot be applied fits everything."""
        try:
            found = list(itertools.islice(self._validator.iter_errors(value), _MOST_PROBLEMS))
        except Exception:  # unresolvable references, bad patterns, endless recursion: the caller's, not the model's
            return None
        return "; ".join(_told(error) for error in found) or None


def _told(error: SchemaError | ValidationError) -> str:
    message = error.message if len(error.message) <= _LONGEST else f"{error.message[:_LONGEST]}…"
    return f"{error.json_path}: {message}"


@cache
def _bounded(kind: Any) -> Any:
    return validators.extend(kind, {"pattern": _pattern})  # type: ignore[no-untyped-call]


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    """A pattern of the caller's could otherwise stop the whole gateway."""
    if isinstance(value, str) and not regex.search(pattern, value, timeout=_PATTERN_SECONDS):
        yield ValidationError(f"{value!r} does not match {pattern!r}")
