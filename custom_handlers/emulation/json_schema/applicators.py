"""The keywords that hold schemas, for all drafts: every schema that they apply goes through `errors`, which counts.

jsonschema's own keep the errors of all branches, and check some of them again for each level of `unevaluated...`.
"""

from typing import Any

from jsonschema.exceptions import ValidationError

from custom_handlers.emulation.json_schema.evaluated import evaluated
from custom_handlers.emulation.json_schema.reader import REFERENCES
from custom_handlers.emulation.json_schema.run import RUN, Errors, errors, needed_beside, surely_fits, unexpected
from custom_handlers.emulation.json_schema.values import short

_MOST_BRANCHES_SHOWN = 5


def _properties(_: Any, properties: Any, value: Any, __: Any) -> Errors:
    if not isinstance(value, dict):
        return
    RUN.get().budget.spend(len(properties) // 8)
    for name, schema in properties.items():
        if name in value:
            yield from errors(value[name], schema, name)
        elif isinstance(schema, dict) and schema.get("required") is True:  # draft 3
            yield ValidationError(f"{short(name)} is a required property", validator="required", validator_value=[name])


def _pattern_properties(_: Any, patterns: Any, value: Any, __: Any) -> Errors:
    if isinstance(value, dict):
        for pattern, schema in patterns.items():
            for name, item in value.items():
                if RUN.get().matches(pattern, name):
                    yield from errors(item, schema, name)


def _additional_properties(_: Any, wanted: Any, value: Any, schema: Any) -> Errors:
    if wanted is True or not isinstance(value, dict):
        return
    run = RUN.get()
    before = run.unsure
    properties, patterns = schema.get("properties", ()), schema.get("patternProperties", ())
    run.budget.spend(len(value))
    extras = [name for name in value if name not in properties and not any(run.matches(p, name) for p in patterns)]
    if run.unsure != before:
        return
    if wanted is False and extras:
        yield unexpected("Additional properties", extras)
    elif wanted is not False:
        for name in extras:
            yield from errors(value[name], wanted, name)


def _property_names(_: Any, schema: Any, value: Any, __: Any) -> Errors:
    if isinstance(value, dict):
        for name in value:
            yield from errors(name, schema)


def _dependencies(_: Any, dependents: Any, value: Any, __: Any) -> Errors:
    if not isinstance(value, dict):
        return
    for name, needed in dependents.items():
        RUN.get().budget.spend(1)
        if name not in value:
            continue
        if isinstance(needed, dict | bool):
            yield from errors(value, needed)
            continue
        names = [needed] if isinstance(needed, str) else needed
        RUN.get().budget.spend(len(names) // 8)
        yield from needed_beside(name, names, value)


def _items(validator: Any, wanted: Any, value: Any, schema: Any) -> Errors:
    if isinstance(value, list) and isinstance(wanted, list):
        yield from _prefix_items(validator, wanted, value, schema)
    elif isinstance(value, list):
        before = schema.get("prefixItems", ()) if "prefixItems" in validator.VALIDATORS else ()
        yield from _items_from(len(before), wanted, value)


def _prefix_items(_: Any, wanted: Any, value: Any, __: Any) -> Errors:
    if isinstance(value, list):
        for index, (item, schema) in enumerate(zip(value, wanted, strict=False)):
            yield from errors(item, schema, index)


def _additional_items(_: Any, wanted: Any, value: Any, schema: Any) -> Errors:
    if isinstance(value, list) and isinstance(before := schema.get("items"), list):
        yield from _items_from(len(before), wanted, value)


def _items_from(first: int, wanted: Any, value: list[Any]) -> Errors:
    if wanted is False and len(value) > first:
        yield ValidationError(f"{short(value)} has more than {first} items")
    elif wanted is not True:
        for index in range(first, len(value)):
            yield from errors(value[index], wanted, index)


def _contains(validator: Any, wanted: Any, value: Any, schema: Any) -> Errors:
    if not isinstance(value, list):
        return
    counted = "dependentRequired" in validator.VALIDATORS  # since 2019-09
    least = schema.get("minContains", 1) if counted else 1
    most = schema.get("maxContains") if counted else None
    found = [surely_fits(item, wanted) for item in value]
    if len(found) - found.count(False) < least:
        yield ValidationError(f"{short(value)} does not contain at least {short(least)} of the items that it must")
    elif most is not None and found.count(True) > most:
        yield ValidationError(f"{short(value)} contains more than {short(most)} of the items of which that is the most")


def _all_of(_: Any, branches: Any, value: Any, __: Any) -> Errors:
    for branch in branches:
        yield from errors(value, branch)


def _any_of(_: Any, branches: Any, value: Any, __: Any) -> Errors:
    found: list[ValidationError] = []
    for branch in branches:
        if (error := next(errors(value, branch), None)) is None:
            return
        found.append(error)
    yield _no_branch(value, found)


def _one_of(_: Any, branches: Any, value: Any, __: Any) -> Errors:
    found: list[ValidationError] = []
    fitting = 0
    for branch in branches:
        before = RUN.get().unsure
        if error := next(errors(value, branch), None):
            found.append(error)
        elif RUN.get().unsure != before:
            return
        else:
            fitting += 1
    if not fitting:
        yield _no_branch(value, found)
    elif fitting > 1:
        yield ValidationError(f"{short(value)} fits {fitting} of the schemas of which it must fit one alone", "several")


def _no_branch(value: Any, found: list[ValidationError]) -> ValidationError:
    """The branches that got furthest into the value are the likeliest to be meant."""
    found.sort(key=lambda error: -len(error.path))
    branches = "; ".join(f"{error.json_path}: {error.message}"[:120] for error in found[:_MOST_BRANCHES_SHOWN])
    return ValidationError(f"{short(value)} is not valid under any of the given schemas ({branches})")


def _not(_: Any, schema: Any, value: Any, __: Any) -> Errors:
    if surely_fits(value, schema):
        yield ValidationError(f"{short(value)} fits a schema that it must not fit")


def _if(_: Any, condition: Any, value: Any, schema: Any) -> Errors:
    found = surely_fits(value, condition)
    if found and "then" in schema:
        yield from errors(value, schema["then"])
    elif found is False and "else" in schema:
        yield from errors(value, schema["else"])


def _extends(_: Any, schemas: Any, value: Any, __: Any) -> Errors:
    for schema in schemas if isinstance(schemas, list) else [schemas]:
        yield from errors(value, schema)


def _reference(keyword: str) -> Any:
    def applied(_: Any, __: Any, value: Any, schema: Any) -> Errors:
        run = RUN.get()
        target = run.schema.targets.get((id(schema), keyword))
        if target is None:
            run.unsure += 1
        else:
            yield from errors(value, target)

    return applied


def _unevaluated_properties(_: Any, wanted: Any, value: Any, schema: Any) -> Errors:
    if isinstance(value, dict):
        run = RUN.get()
        before, known = run.unsure, evaluated(value, schema, "unevaluatedProperties")
        extras = [name for name in value if name not in known]
        if run.unsure == before:
            yield from _unevaluated(wanted, value, extras, "Unevaluated properties")


def _unevaluated_items(_: Any, wanted: Any, value: Any, schema: Any) -> Errors:
    if isinstance(value, list):
        run = RUN.get()
        before, known = run.unsure, evaluated(value, schema, "unevaluatedItems")
        extras = [index for index in range(len(value)) if index not in known]
        if run.unsure == before:
            yield from _unevaluated(wanted, value, extras, "Unevaluated items")


def _unevaluated(wanted: Any, value: Any, extras: list[Any], what: str) -> Errors:
    if wanted is False and extras:
        yield unexpected(what, extras)
    for extra in extras if wanted is not False else ():
        yield from errors(value[extra], wanted, extra)


APPLICATORS: dict[str, Any] = {
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "propertyNames": _property_names,
    "dependencies": _dependencies,
    "dependentSchemas": _dependencies,
    "items": _items,
    "prefixItems": _prefix_items,
    "additionalItems": _additional_items,
    "contains": _contains,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "if": _if,
    "extends": _extends,
    **{keyword: _reference(keyword) for keyword in REFERENCES},
    "unevaluatedProperties": _unevaluated_properties,
    "unevaluatedItems": _unevaluated_items,
}
