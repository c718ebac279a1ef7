"""One check of a value against a schema: parts of the one against parts of the other, within a budget."""

from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, TypeAlias

from jsonschema.exceptions import ValidationError

from custom_handlers.emulation.json_schema.budget import Budget
from custom_handlers.emulation.json_schema.reader import ReadSchema
from custom_handlers.emulation.json_schema.values import canonical, short

Errors: TypeAlias = Iterator[ValidationError]
_MOST_NAMED = 5
_ERROR = 20  # steps: it is an object with much in it


class Run:
    """`unsure` counts what could not be applied: an unknown reference, a pattern that is none. The rest is checked, but
    nothing is refused because it fits what was not applied in full.
    """

    def __init__(self, schema: ReadSchema, template: Any, built: dict[int, Any], budget: Budget) -> None:
        self.schema = schema
        self.budget = budget
        self.unsure = 0
        self._template = template
        self._built = built

    def validator(self, part: dict[str, Any]) -> Any:
        found = self._built.get(id(part))
        if found is None:
            self.budget.spend(10)
            found = self._built[id(part)] = self._template.evolve(schema=self.schema.cleaned.get(id(part), part))
        return found

    def members(self, allowed: list[Any]) -> set[str]:
        """The values of an enum, for comparison."""
        found = self._built.get(id(allowed))
        if found is None:
            found = self._built[id(allowed)] = {canonical(value, self.budget.spend) for value in allowed}
        return found

    def matches(self, pattern: Any, text: str) -> bool | None:
        found = self.budget.matches(pattern, text)
        if found is None:
            self.unsure += 1
        return found


RUN: ContextVar[Run] = ContextVar("run")


def errors(value: Any, schema: Any, *path: str | int) -> Errors:
    """What is wrong with `value`, which stands at `path` in the value that is looked at."""
    budget = (run := RUN.get()).budget
    if isinstance(schema, bool):
        budget.spend(1)
        if not schema:
            yield ValidationError("nothing is allowed here", path=path, instance=value, schema=False)
        return
    budget.spend(2 + len(schema))
    if value is None and schema.get("nullable") is True:  # OpenAPI's
        return
    for error in run.validator(schema).iter_errors(value):
        budget.spend(_ERROR)
        error.path.extendleft(path)
        yield error


def fits(value: Any, schema: Any) -> bool:
    return next(errors(value, schema), None) is None


def surely_fits(value: Any, schema: Any) -> bool | None:
    """None if it fits only because something could not be applied."""
    run = RUN.get()
    before = run.unsure
    return None if (found := fits(value, schema)) and run.unsure != before else found


def unexpected(what: str, extras: list[Any]) -> ValidationError:
    named = ", ".join(map(short, extras[:_MOST_NAMED])) + (", …" if len(extras) > _MOST_NAMED else "")
    return ValidationError(f"{what} are not allowed ({named} {'was' if len(extras) == 1 else 'were'} unexpected)")


def needed_beside(name: str, needed: list[str], value: dict[str, Any]) -> Errors:
    for each in needed:
        if each not in value:
            yield ValidationError(f"{short(each)} is needed beside {short(name)}")
