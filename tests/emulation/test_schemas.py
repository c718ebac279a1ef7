"""The bounded validator: what plain jsonschema says on ordinary schemas, and an end in time on all others."""

from typing import Any

import jsonschema
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from custom_handlers.emulation.schema_budget import Budget
from custom_handlers.emulation.schema_drafts import TooMuch
from custom_handlers.emulation.schemas import Schema

NAMES = st.sampled_from(["a", "b", "c", "ab"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 6),
    st.sampled_from([0.5, 1.0, 2.5]),
    st.sampled_from(["", "a", "ab", "b1"]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
TYPES = st.sampled_from(["array", "boolean", "integer", "null", "number", "object", "string"])
COUNTS = st.integers(0, 3)
PATTERNS = st.sampled_from(["^a", "b$", "[0-9]", "a|b"])


@st.composite
def schemas(draw: st.DrawFn, draft: str, depth: int = 2) -> Any:
    """Of three keywords at most: with many at once nothing would fit."""
    old = draft == "draft-04"
    if depth == 0 and not old and draw(st.integers(0, 5)) == 0:
        return draw(st.booleans())
    inner = schemas(draft, depth - 1)
    keywords = {**FLAT, **(FLAT_OLD if old else FLAT_NEW), **(FLAT_MODERN if draft.startswith("20") else {})}
    if depth:
        several = st.lists(inner, min_size=1, max_size=3)
        keywords |= dict.fromkeys(("allOf", "anyOf", "oneOf"), several)
        keywords |= dict.fromkeys(("additionalProperties", "not"), inner)
        keywords |= {"properties": st.dictionaries(NAMES, inner, max_size=3)}
        keywords |= {"patternProperties": st.dictionaries(PATTERNS, inner, max_size=2)}
        keywords |= {"items": inner if draft == "2020-12" else inner | several}
        keywords |= {"prefixItems": several} if draft == "2020-12" else {"additionalItems": inner}
        keywords |= dict.fromkeys(() if old else ("contains", "propertyNames"), inner)
        if draft.startswith("20"):
            keywords |= {"dependentSchemas": st.dictionaries(NAMES, inner, max_size=2)}
        else:
            keywords |= {"dependencies": st.dictionaries(NAMES, inner | LISTED, max_size=2)}
    chosen = draw(st.lists(st.sampled_from(sorted(keywords)), min_size=1, max_size=3, unique=True))
    if depth and draft not in ("draft-04", "draft-06") and draw(st.integers(0, 5)) == 0:
        return {keyword: draw(inner) for keyword in ("if", "then", "else")}
    return {keyword: draw(keywords[keyword]) for keyword in chosen}


LISTED = st.lists(NAMES, min_size=1, max_size=2, unique=True)
FLAT: dict[str, st.SearchStrategy[Any]] = {
    "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
    "enum": st.lists(SCALARS, min_size=1, max_size=3),
    "minimum": st.integers(-2, 4),
    "maximum": st.integers(-2, 4),
    "multipleOf": st.sampled_from([1, 2, 0.5]),
    "minLength": COUNTS,
    "maxLength": COUNTS,
    "pattern": PATTERNS,
    "minItems": COUNTS,
    "maxItems": COUNTS,
    "uniqueItems": st.booleans(),
    "minProperties": COUNTS,
    "maxProperties": COUNTS,
    "required": LISTED,
    "$ref": st.sampled_from(["#/definitions/a", "#/definitions/b"]),
}
FLAT_OLD = {"exclusiveMinimum": st.booleans(), "exclusiveMaximum": st.booleans()}
FLAT_NEW: dict[str, st.SearchStrategy[Any]] = {
    "const": VALUES,
    "exclusiveMinimum": st.integers(-2, 4),
    "exclusiveMaximum": st.integers(-2, 4),
}
FLAT_MODERN: dict[str, st.SearchStrategy[Any]] = {
    "minContains": COUNTS,
    "maxContains": COUNTS,
    "dependentRequired": st.dictionaries(NAMES, LISTED, max_size=2),
}
DEFINITIONS = {"a": {"type": ["string", "array"]}, "b": {"required": ["a"], "properties": {"b": {"$ref": "#"}}}}
PLAIN = {
    "2020-12": jsonschema.Draft202012Validator,
    "2019-09": jsonschema.Draft201909Validator,
    "draft-07": jsonschema.Draft7Validator,
    "draft-06": jsonschema.Draft6Validator,
    "draft-04": jsonschema.Draft4Validator,
}
URIS = {draft: f"http://json-schema.org/{draft}/schema#" for draft in PLAIN} | {
    draft: f"https://json-schema.org/draft/{draft}/schema" for draft in ("2020-12", "2019-09")
}


def fits(schema: Any, value: Any, steps: int = 10_000_000) -> bool:
    return Schema(schema).problems(value, Budget(steps, 5)) is None


@pytest.mark.parametrize("draft", PLAIN)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_plain_jsonschema_says_the_same(draft: str, data: st.DataObject) -> None:
    root = data.draw(schemas(draft))
    assume(isinstance(root, dict))
    schema = {"$schema": URIS[draft], **root, "definitions": DEFINITIONS}
    value = data.draw(VALUES)
    try:
        PLAIN[draft].check_schema(schema)
        expected = PLAIN[draft](schema).is_valid(value)
        found = fits(schema, value)
    except (jsonschema.SchemaError, TooMuch):
        assume(False)
    assert found is expected
