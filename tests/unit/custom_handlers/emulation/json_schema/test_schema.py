"""The bounded validator: what plain jsonschema says on ordinary schemas, and an end in time on all others."""

from contextlib import suppress
from typing import Any

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from custom_handlers.emulation.json_schema.budget import Budget, BudgetExceededError
from custom_handlers.emulation.json_schema.drafts import SchemaTooComplexError
from custom_handlers.emulation.json_schema.schema import Schema

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
    return Schema(schema).check(value, Budget(steps, 5)) is None


@pytest.mark.parametrize("draft", PLAIN)
@given(data=st.data())
def test_plain_jsonschema_says_the_same(draft: str, data: st.DataObject) -> None:
    root = data.draw(schemas(draft))
    assume(isinstance(root, dict))
    schema = {"$schema": URIS[draft], **root, "definitions": DEFINITIONS}
    value = data.draw(VALUES)
    try:
        PLAIN[draft].check_schema(schema)
        expected = PLAIN[draft](schema).is_valid(value)
    except (jsonschema.SchemaError, TypeError):  # it cannot count the parts of `items: false` in older drafts
        assume(False)
    try:
        found = fits(schema, value)
    except SchemaTooComplexError:
        assume(False)
    assert found is expected


@given(st.lists(VALUES, max_size=6))
def test_items_are_unique_as_plain_jsonschema_has_it(values: list[Any]) -> None:
    schema = {"uniqueItems": True}
    assert fits(schema, values) is jsonschema.Draft202012Validator(schema).is_valid(values)


class TestKeywords:
    @pytest.mark.parametrize(
        ("schema", "value", "expected"),
        [
            ({"multipleOf": 0.01}, 8.61, True),
            ({"multipleOf": 0.1}, 0.3, True),
            ({"multipleOf": 0.01}, 8.615, False),
            ({"multipleOf": 1e-300}, 1e308, True),
            ({"multipleOf": 0.1}, 10**4000, True),
            ({"multipleOf": 3}, 10**4000, False),
            ({"multipleOf": float("inf")}, 1, True),
            ({"minimum": 1}, True, True),
            ({"enum": [1]}, 1.0, True),
            ({"enum": [1]}, True, False),
            ({"const": {"a": [1.0]}}, {"a": [1]}, True),
            ({"unevaluatedProperties": False, "allOf": [{"properties": {"a": {}}}]}, {"a": 1}, True),
            (
                {"unevaluatedProperties": False, "anyOf": [{"required": ["b"], "properties": {"a": {}}}, {}]},
                {"a": 1},
                False,
            ),
            ({"unevaluatedProperties": {"type": "integer"}, "properties": {"a": {}}}, {"a": "", "b": 1}, True),
            ({"unevaluatedItems": False, "prefixItems": [{}]}, [1, 2], False),
            ({"unevaluatedItems": False, "prefixItems": [{}], "contains": {"const": 2}}, [1, 2], True),
            ({"format": "email"}, "no address", True),
            ({"patternProperties": {"(": {"type": "integer"}}, "additionalProperties": False}, {"a": "b"}, True),
            ({"not": {"pattern": "("}}, "a", True),
            ({"not": {"$ref": "#/nowhere"}, "minLength": 2}, "a", False),
            ({"$defs": {"a": {"$anchor": "here", "type": "string"}}, "$ref": "#here"}, 5, False),
            # As TypeBox writes a recursive type.
            ({"$id": "T", "type": "object", "properties": {"next": {"$ref": "T"}}}, {"next": {"next": 5}}, False),
            ({"properties": {"a": {"$id": "N", "items": {"$ref": "N"}, "type": "array"}}}, {"a": [[5]]}, False),
            (
                {"properties": {"a": {"$id": "N", "$ref": "#/$defs/b"}}, "$defs": {"b": {"type": "null"}}},
                {"a": 1},
                False,
            ),
        ],
    )
    def test_what_jsonschema_has_otherwise_or_not_at_all(self, schema: Any, value: Any, expected: bool) -> None:
        assert fits(schema, value) is expected

    def test_no_message_holds_a_large_value(self) -> None:
        value = {"a": ["x" * 1000] * 1000}
        for schema in (
            {"enum": [value]},
            {"type": "string"},
            {"maxProperties": 0},
            {"anyOf": [False, {"type": "null"}]},
        ):
            told = Schema(schema).check({**value, "b": 1})
            assert told
            assert len(told) < 1000


class TestDrafts:
    @pytest.mark.parametrize(
        ("schema", "right", "wrong"),
        [
            ({"minimum": 3, "exclusiveMinimum": True}, 4, 3),
            ({"maximum": 3, "exclusiveMaximum": True, "type": "integer"}, 2, 3),
            ({"items": [{"type": "integer"}, {"type": "string"}], "additionalItems": False}, [1, "a"], ["a"]),
            (
                {"definitions": {"a": {"type": "integer"}}, "properties": {"x": {"$ref": "#/definitions/a"}}},
                {"x": 1},
                {"x": ""},
            ),
            ({"properties": {"a": {"type": "string", "required": True}}}, {"a": ""}, {}),  # draft 3
            ({"type": ["integer", {"type": "string", "minLength": 2}]}, "ab", "a"),  # draft 3
            ({"$schema": "http://json-schema.org/draft-03/schema#", "divisibleBy": 2, "extends": {"minimum": 2}}, 4, 3),
            (
                {"$schema": "http://json-schema.org/draft-07/schema#", "dependencies": {"a": ["b"]}},
                {"a": 1, "b": 1},
                {"a": 1},
            ),
            ({"$schema": "https://example.com/no-draft", "type": "integer"}, 1, "a"),
            ({"type": "string", "nullable": True}, None, 5),
            ({"type": "STRING"}, "a", 5),
            ({"type": "Object", "properties": {"a": {"type": "INTEGER"}}}, {"a": 1}, {"a": "x"}),
            ({"type": "object", "properties": None, "enum": None, "required": ["a"]}, {"a": 1}, {}),
            ({"title": 5, "examples": "none", "format": [], "type": "string"}, "a", 5),
        ],
    )
    def test_a_schema_is_read_by_the_draft_that_it_fits(self, schema: Any, right: Any, wrong: Any) -> None:
        assert Schema(schema).error is None
        assert fits(schema, right)
        assert not fits(schema, wrong)

    @pytest.mark.parametrize(
        ("schema", "place"),
        [
            ({"required": "path", "properties": {"path": {"type": "string"}}}, "$.required"),
            ({"type": "objekt"}, "$.type"),
            ({"properties": {"a": {"minLength": "1"}}}, "$.properties.a.minLength"),
            ({"anyOf": [{}, 5]}, "$.anyOf[1]"),
            ({"properties": []}, "$.properties"),
            (5, "$"),
        ],
    )
    def test_one_that_fits_none_is_named_and_forbids_nothing(self, schema: Any, place: str) -> None:
        read = Schema(schema)
        assert read.error
        assert read.error.startswith(f"{place} ")
        assert read.check({"path": 5}) is None


def doubled(levels: int, keyword: str = "allOf", leaf: Any = None) -> dict[str, Any]:
    parts: dict[str, Any] = {"d0": leaf or {"type": "integer"}}
    for level in range(1, levels):
        parts[f"d{level}"] = {keyword: [{"$ref": f"#/$defs/d{level - 1}"}] * 2}
    return {"$defs": parts, "$ref": f"#/$defs/d{levels - 1}"}


def nested(keyword: str, depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {keyword: schema}
    return schema


def deep(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


EVIL = "a" * 26 + "!"
ENDLESS = {
    "$defs": {"n": {"anyOf": [{"properties": {"a": {"$ref": "#/$defs/n"}}, "required": ["x"]}] * 2}},
    "$ref": "#/$defs/n",
}


class TestHostile:
    @pytest.mark.parametrize(
        ("schema", "reason"),
        [
            (doubled(18), "expands to more than"),
            (doubled(22), "expands to more than"),
            (doubled(22, "anyOf"), "expands to more than"),
            (doubled(22, "oneOf"), "expands to more than"),
            ({"items": doubled(20) | {"$ref": "#/items/$defs/d19"}}, None),
            ({"properties": {"a": {"$ref": "#/$defs/d19"}}, "$defs": doubled(20)["$defs"]}, "expands to more than"),
            ({"anyOf": [{"type": "integer"}] * 2**18}, "more than 5000 parts"),
            ({"properties": {f"p{i}": {} for i in range(6000)}}, "more than 5000 parts"),
            ({"allOf": [{"properties": {f"p{i}": {} for i in range(1000)}} for _ in range(8)]}, "more than 5000 parts"),
            (nested("not", 300), "nests more than"),
            ({"$ref": "#"}, "refers to itself"),
            ({"allOf": [{"$ref": "#"}]}, "refers to itself"),
            (
                {
                    "$defs": {"a": {"not": {"$ref": "#/$defs/b"}}, "b": {"if": {"$ref": "#/$defs/a"}}},
                    "$ref": "#/$defs/a",
                },
                "refers to itself",
            ),
        ],
    )
    def test_what_would_expand_without_end_is_known_before_a_check(self, schema: Any, reason: str | None) -> None:
        if reason is None:
            Schema(schema)
            return
        with pytest.raises(SchemaTooComplexError, match=reason):
            Schema(schema)

    @pytest.mark.parametrize(
        ("schema", "value"),
        [
            (ENDLESS, deep(40)),
            ({"anyOf": [{"type": "integer", "minimum": i} for i in range(4900)]}, ["x"] * 9),
            ({"patternProperties": {"^(a|aa)+$": {}}}, {"a" * 50 + "!": 1}),
            ({"propertyNames": {"pattern": "^(a|aa)+$"}}, {"a" * 50 + "!": 1}),
            ({"unevaluatedProperties": False, "patternProperties": {"^(a|aa)+$": {}}}, {"a" * 50 + "!": 1}),
            ({"additionalProperties": False, "patternProperties": {"^(a|aa)+$": {}}}, {"a" * 50 + "!": 1}),
            ({"items": {"not": {"pattern": "^(a|aa)+$"}}}, ["a" * 28 + "!"] * 300),
            ({"pattern": "x" * 2000}, "y"),
            ({"uniqueItems": True}, [{"a": i, "b": [i]} for i in range(20_000)]),
            ({"uniqueItems": True}, [(2**61 - 1) * i for i in range(20_000)]),
            ({"items": {"enum": [{"a": [i] * 5} for i in range(5000)]}}, [{"a": [i] * 5} for i in range(300)]),
            ({"items": {"multipleOf": 1e-300}}, [1.7e308, 3] * 3000),
            ({"items": {"multipleOf": 1e-300}}, [10**4000] * 3000),
            ({"contains": {"contains": {"contains": {"type": "null"}}}}, [[[1] * 100] * 100] * 100),
            ({"items": {"anyOf": [{"required": [f"k{i}"]} for i in range(300)]}}, [{"k299": 1}] * 2000),
            ({"items": {"type": "object"}}, [{}] * 100_000),
        ],
    )
    def test_what_takes_too_long_is_not_decided(self, schema: Any, value: Any) -> None:
        budget = Budget()
        with pytest.raises(BudgetExceededError):
            Schema(schema).check(value, budget)
        # What is counted at once is at most one step of the walk.
        assert budget.steps > -10_000

    @pytest.mark.parametrize(
        ("schema", "value", "expected"),
        [
            ({"patternProperties": {"^(a+)+$": {}}}, {EVIL: 1}, True),
            ({"propertyNames": {"pattern": "^(a+)+$"}}, {EVIL: 1}, False),
            ({"uniqueItems": True}, [{"a": i} for i in range(3000)], True),
            ({"required": [f"n{i}" for i in range(300_000)]}, {}, False),
            ({"dependentRequired": {f"a{i}": ["b"] * 1000 for i in range(50)}}, {f"a{i}": 1 for i in range(50)}, False),
            ({"anyOf": [False] * 1500}, {"a": ["x" * 100] * 100_000}, False),
            (
                {"properties": {"a": {"$schema": "http://json-schema.org/draft-07/schema#", "pattern": "^(a+)+$"}}},
                {"a": EVIL},
                False,
            ),
        ],
    )
    def test_what_seems_endless_and_is_not_is_decided(self, schema: Any, value: Any, expected: bool) -> None:
        assert (Schema(schema).check(value, Budget(seconds=1)) is None) is expected

    def test_lists_and_trees_are_fine(self) -> None:
        node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}, "id": {"type": "integer"}}}
        assert fits({"$defs": {"node": node}, "$ref": "#/$defs/node"}, {"next": {"next": {"id": 1}}})
        assert not fits({"$defs": {"node": node}, "$ref": "#/$defs/node"}, {"next": {"next": {"id": ""}}})

    def test_all_checks_of_an_answer_share_the_budget(self) -> None:
        schema, budget = Schema({"items": {"type": "integer"}}), Budget()
        assert schema.check([1] * 100, budget) is None
        for _ in range(300):
            with suppress(BudgetExceededError):
                schema.check([1] * 100, budget)
        with pytest.raises(BudgetExceededError):
            schema.check([1] * 100, budget)

    def test_reading_a_schema_takes_as_long_as_it_is(self) -> None:
        """Steps cannot be seen here, but the parts that were looked at can."""
        tool = {
            "type": "object",
            "properties": {f"p{i}": {"$ref": "#/$defs/x"} for i in range(500)},
            "$defs": {"x": {}},
        }
        assert Schema(tool).parts == 502
