"""Checks values against a JSON schema that a caller sent: no network, bounded work, no exceptions of its own."""

import itertools
from collections.abc import Callable
from functools import cache
from typing import Any

from jsonschema import validators
from jsonschema.exceptions import ValidationError

from custom_handlers.emulation.json_schema.applicators import APPLICATORS
from custom_handlers.emulation.json_schema.budget import Budget, BudgetExceededError
from custom_handlers.emulation.json_schema.keywords import KEYWORDS
from custom_handlers.emulation.json_schema.reader import read_schema
from custom_handlers.emulation.json_schema.run import RUN, Run, errors

_MOST_PROBLEMS = 3
_LONGEST = 300


class Schema:
    """Read once per schema: by the draft that it fits. One that fits none is not applied: every value fits.

    Raises TooMuch for a schema that could ask for endless work.
    """

    def __init__(self, schema: Any) -> None:
        self.given = schema
        self._read, self.error = read_schema(schema)
        self._built: dict[int, Any] = {}

    @property
    def parts(self) -> int:
        """How large it is."""
        return self._read.parts if self._read else 0

    def check(self, value: Any, budget: Budget | None = None) -> str | None:
        """Why `value` does not fit, for the model to read, or None. Raises Undecided beyond the budget."""
        budget = budget or Budget()
        found = self.within(budget, lambda root: list(itertools.islice(errors(value, root), _MOST_PROBLEMS)))
        return "; ".join(map(_described, found or ())) or None

    def within(self, budget: Budget, work: Callable[[Any], Any]) -> Any:
        """What `work` finds out, which gets the schema and may call `errors` and `fits`; None if it is not applied."""
        if not self._read:
            return None
        before = RUN.set(Run(self._read, _template(self._read.draft.kind), self._built, budget))
        try:
            with budget.running():
                return work(self._read.root)
        except (RecursionError, MemoryError):
            raise BudgetExceededError from None
        finally:
            RUN.reset(before)


def _described(error: ValidationError) -> str:
    message = f"{error.json_path}: {error.message}"
    return message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"


@cache
def _template(kind: Any) -> Any:
    bounded = {**KEYWORDS, **APPLICATORS}
    return validators.extend(kind, {name: bounded[name] for name in kind.VALIDATORS})({})  # type: ignore[no-untyped-call]
