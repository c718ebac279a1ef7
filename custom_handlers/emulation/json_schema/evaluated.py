"""Which properties or items of a value a schema has spoken of: what `unevaluated...` leaves out."""

from collections.abc import Iterator
from typing import Any

from custom_handlers.emulation.json_schema.reader import REFERENCES
from custom_handlers.emulation.json_schema.run import RUN, fits


def evaluated(value: Any, schema: Any, but: str = "") -> set[Any]:
    """Names or indexes in `value`; the keyword `but` is the one that asks."""
    RUN.get().budget.spend(1 + len(value))
    if not isinstance(schema, dict):
        return set()
    schema = RUN.get().schema.cleaned.get(id(schema), schema)
    found = _names(value, schema, but) if isinstance(value, dict) else _indexes(value, schema, but)
    for applied in _applied(value, schema):
        found |= evaluated(value, applied)
    return found


def _names(value: dict[str, Any], schema: dict[str, Any], but: str) -> set[Any]:
    if "additionalProperties" in schema or ("unevaluatedProperties" in schema and not but):
        return set(value)
    found: set[Any] = value.keys() & schema.get("properties", {}).keys()
    for pattern in schema.get("patternProperties", ()):
        found |= {name for name in value if RUN.get().matches(pattern, name)}
    return found


def _indexes(value: list[Any], schema: dict[str, Any], but: str) -> set[Any]:
    items = schema.get("items")
    if isinstance(items, dict | bool) or "additionalItems" in schema or ("unevaluatedItems" in schema and not but):
        return set(range(len(value)))
    found = set(range(len(items or schema.get("prefixItems", ()))))
    if "contains" in schema:
        found |= {index for index, item in enumerate(value) if fits(item, schema["contains"])}
    return found


def _applied(value: Any, schema: dict[str, Any]) -> Iterator[Any]:
    """The schemas in `schema` that `value` itself fits."""
    run = RUN.get()
    for keyword in REFERENCES:
        if keyword in schema and (target := run.schema.targets.get((id(schema), keyword))) is not None:
            yield target
    yield from schema.get("allOf", ())
    for branch in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        if fits(value, branch):
            yield branch
    if "if" in schema:
        if fits(value, schema["if"]):
            yield schema["if"]
            yield schema.get("then", True)
        else:
            yield schema.get("else", True)
    if isinstance(value, dict):
        yield from (each for name, each in schema.get("dependentSchemas", {}).items() if name in value)
