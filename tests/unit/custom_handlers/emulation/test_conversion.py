"""Values that misfit, read as what was meant: where one reading fits, and nowhere else."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from custom_handlers.emulation.conversion import convert
from custom_handlers.emulation.json_schema.budget import Budget
from custom_handlers.emulation.json_schema.drafts import SchemaTooComplexError
from custom_handlers.emulation.json_schema.schema import Schema
from tests.unit.custom_handlers.emulation.json_schema.test_schema import VALUES, schemas


def shape(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


TEXT, WHOLE, FLAG = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
TEXTS = {"type": "array", "items": TEXT}
ITEMS = {"type": "array", "items": shape("id", id=WHOLE)}
UNION = {"oneOf": [shape("k", "n", k={"const": "i"}, n=WHOLE), shape("k", "s", k={"const": "s"}, s=TEXT)]}
CLOSED = {**shape(a=TEXT), "additionalProperties": False}
EDITS = shape(edits={"type": "array", "items": shape("old", old=TEXT, all=FLAG)})


@pytest.mark.parametrize(
    ("schema", "given", "meant"),
    [
        (shape(a=TEXT), {"a": None}, {}),
        (shape(a=WHOLE), {"a": "30"}, {"a": 30}),
        (shape(a=WHOLE), {"a": " -3 "}, {"a": -3}),
        (shape(a={"type": "number"}), {"a": "3.5"}, {"a": 3.5}),
        (shape(a=FLAG), {"a": "true"}, {"a": True}),
        (shape(a=FLAG), {"a": "False"}, {"a": False}),
        (shape(a=TEXTS), {"a": "x"}, {"a": ["x"]}),
        (shape(a=TEXTS), {"a": '["x", "y"]'}, {"a": ["x", "y"]}),
        (shape(a=TEXTS), {"a": "[id].tsx"}, {"a": ["[id].tsx"]}),
        (shape(a=TEXTS), {"a": {"item": ["x"]}}, {"a": ["x"]}),
        (shape(a={"type": "array", "items": WHOLE}), {"a": ["1", "2"]}, {"a": [1, 2]}),
        (shape(a={"type": "array", "items": WHOLE}), {"a": "1"}, {"a": [1]}),
        (shape(todos=ITEMS), {"todos": '[{"id": "3"}]'}, {"todos": [{"id": 3}]}),
        (shape(todos=ITEMS), {"todos": {"id": 1}}, {"todos": [{"id": 1}]}),
        (shape(o=shape("p", p=TEXT)), {"o": '{"p": "1"}'}, {"o": {"p": "1"}}),
        (shape(o=shape("p", p=TEXT)), {"o": [{"p": "1"}]}, {"o": {"p": "1"}}),
        (shape(o={"type": "object"}), {"o": []}, {"o": {}}),
        (shape(a=TEXT), {"a": ["x"]}, {"a": "x"}),
        (shape(a={"enum": ["Read", "write"]}), {"a": "READ"}, {"a": "Read"}),
        (shape(a={"enum": ["1", "2"]}), {"a": 1}, {"a": "1"}),
        (shape(a=WHOLE), {"a": ""}, {}),
        (shape(a=WHOLE), {"a": "null"}, {}),
        (shape(a={"type": ["integer", "null"]}), {"a": "null"}, {"a": None}),
        (shape("file_path", file_path=TEXT), {"filePath": "x"}, {"file_path": "x"}),
        (shape("path", path=TEXT), {"arguments": {"path": "x"}}, {"path": "x"}),
        (EDITS, {"edits": [{"old": "1", "all": "false"}]}, {"edits": [{"old": "1", "all": False}]}),
        (EDITS, {"edits": [{"old": "", "all": None}]}, {"edits": [{"old": ""}]}),
        (shape(a=UNION), {"a": {"k": "i", "n": "5"}}, {"a": {"k": "i", "n": 5}}),
        ({"$defs": {"x": WHOLE}, **shape(a={"$ref": "#/$defs/x"})}, {"a": "1"}, {"a": 1}),
        ({"$defs": {"x": WHOLE}, **shape(a={"anyOf": [{"$ref": "#/$defs/x"}, FLAG]})}, {"a": "2"}, {"a": 2}),
    ],
)
def test_one_reading_is_taken(schema: Any, given: Any, meant: Any) -> None:
    reading = convert(Schema(schema), given, Budget(seconds=1))
    assert (reading.misfit, reading.unproven) == (None, False)
    assert json.dumps(reading.value) == json.dumps(meant)


@pytest.mark.parametrize(
    ("schema", "given"),
    [
        (shape("a", a=TEXT), {"a": None}),
        (shape(a=TEXT), {"a": 5}),  # perhaps 05
        (shape(a=WHOLE), {"a": 3.5}),
        (shape(a=FLAG), {"a": 1}),
        (shape(a=TEXTS), {"a": {}}),
        (CLOSED, {"a": "x", "b": None}),
        (shape(a=TEXTS), {"a": '["x", "y'}),
        (shape(a=WHOLE), {"a": "3 apples"}),
        (shape(a=WHOLE), {"a": "030"}),
        (shape(a={"anyOf": [WHOLE, TEXTS]}), {"a": "30"}),
        (shape(a={"enum": ["a", "A"]}), {"a": " a "}),
        (shape(a=WHOLE, b=WHOLE), {"a": "1", "b": "x"}),
        (shape(a={"type": "string", "pattern": "^[a-z]+$"}), {"a": "5"}),
        ({"properties": {"path": TEXT}, "required": ["path"]}, {"a": 1}),
        ({"properties": {"path": TEXT}, "required": ["path"]}, {}),
        ({"oneOf": [TEXT, {"type": ["string", "integer"]}]}, "30"),
        ({"not": TEXT}, "30"),
    ],
)
def test_none_or_several_leave_the_value_as_it_is(schema: Any, given: Any) -> None:
    reading = convert(Schema(schema), given, Budget(seconds=1))
    assert reading.misfit
    assert reading.value is given


@settings(max_examples=3 * settings().max_examples)
@given(schemas("2020-12"), VALUES)
def test_what_fits_is_never_touched_and_what_is_read_fits(root: Any, value: Any) -> None:
    try:
        schema = Schema(root)
    except SchemaTooComplexError:
        return
    before = json.dumps(value)
    fitted = schema.check(value, Budget(10_000_000, 5)) is None
    reading = convert(schema, value, Budget(10_000_000, 5))
    assert json.dumps(value) == before
    if fitted:
        assert reading.value is value
    if reading.misfit is None and not reading.unproven:
        assert schema.check(reading.value, Budget(10_000_000, 5)) is None


def test_readings_are_looked_for_within_the_budget() -> None:
    union = {"anyOf": [shape("k", k={"const": i}, n=WHOLE) for i in range(200)]}
    budget = Budget()
    reading = convert(Schema(shape(a={"type": "array", "items": union})), {"a": [{"k": "x", "n": "1"}] * 50}, budget)
    assert reading.misfit or reading.unproven
    assert budget.steps > -10_000
