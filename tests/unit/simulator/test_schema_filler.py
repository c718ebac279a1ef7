"""The scripted model's arguments: what is wanted finds its place in any schema, and the rest fits."""

from typing import Any

import jsonschema
import pytest

from simulator.model.schema_filler import SchemaFiller

CHANGE = {"old": "one", "new": "two"}
PAIR: dict[str, Any] = {
    "type": "object",
    "properties": {"oldText": {"type": "string"}, "newText": {"type": "string"}},
    "required": ["oldText", "newText"],
}
DONE = {"oldText": "one", "newText": "two"}
STRING = {"type": "string"}
NUMBERS = {"type": "array", "items": {"type": "integer"}, "minItems": 1}


def filled(
    properties: dict[str, Any], values: dict[str, str], *, required: bool = True, defs: dict[str, Any] | None = None
) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(properties) if required else []}
    schema |= {"$defs": defs} if defs else {}
    arguments = SchemaFiller(schema, values, ("str_replace",)).arguments()
    jsonschema.validate(arguments, schema)
    return arguments


@pytest.mark.parametrize(
    ("kind", "defs", "expected"),
    [
        ({"type": "array", "items": PAIR}, None, [DONE]),
        ({"type": "array", "items": {"$ref": "#/$defs/Pair"}}, {"Pair": PAIR}, [DONE]),
        ({"type": "array", "items": {"type": "array", "items": PAIR}}, None, [[DONE]]),
        ({"$ref": "#/$defs/Pairs"}, {"Pairs": {"type": "array", "items": {"$ref": "#/$defs/P"}}, "P": PAIR}, [DONE]),
        ({"anyOf": [{"type": "null"}, {"type": "array", "items": PAIR}]}, None, [DONE]),
        ({"type": ["array", "null"], "items": {"allOf": [PAIR, {"type": "object"}]}}, None, [DONE]),
        ({"properties": {"all": {"items": PAIR}}, "required": ["all"]}, None, {"all": [DONE]}),
        ({"type": "array", "prefixItems": [PAIR, {"type": "integer"}]}, None, [DONE, 0]),
    ],
)
@pytest.mark.parametrize("required", [True, False])
def test_what_is_wanted_is_found_in_lists_and_references(
    kind: dict[str, Any], defs: dict[str, Any] | None, expected: Any, required: bool
) -> None:
    assert filled({"edits": kind}, CHANGE, required=required, defs=defs) == {"edits": expected}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (STRING, "ls"),
        ({"type": "array", "items": STRING}, ["ls"]),
        ({"type": "array", "items": {"type": "array", "items": STRING}}, [["ls"]]),
        ({"anyOf": [STRING, {"type": "array", "items": STRING}]}, "ls"),
        ({"type": "array", "items": {"type": "object", "properties": {"cmd": STRING}}}, [{"cmd": "ls"}]),
    ],
)
def test_what_is_wanted_takes_the_form_of_its_parameter(kind: dict[str, Any], expected: Any) -> None:
    assert filled({"commands": kind}, {"command": "ls"}) == {"commands": expected}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ({"type": "array", "items": {"type": "array", "items": STRING}}, []),
        ({"type": "array", "items": STRING, "minItems": 2}, ["", ""]),
        ({"type": "array", "items": NUMBERS, "minItems": 1}, [[0]]),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "string", "minLength": 2}, "xx"),
        ({"type": "boolean", "default": True}, True),
        ({"enum": ["view", "str_replace"]}, "str_replace"),
        ({"enum": ["slow", "fast"]}, "slow"),
        ({"const": "run"}, "run"),
        ({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}, {"n": 0}),
    ],
)  # fmt: skip
def test_what_is_only_required_gets_something_that_fits(kind: dict[str, Any], expected: Any) -> None:
    assert filled({"what": kind}, CHANGE) == {"what": expected}


def test_what_is_neither_wanted_nor_required_is_left_out() -> None:
    more = {"type": "array", "items": {"type": "object", "properties": {"limit": {"type": "integer"}}}}
    assert filled({"timeout": {"type": "integer"}, "more": more}, CHANGE, required=False) == {}
    once = {"path": STRING, "others": {"type": "array", "items": {"type": "object", "properties": {"path": STRING}}}}
    assert filled(once, {"path": "a.py"}, required=False) == {"path": "a.py"}


def test_a_choice_that_has_the_name_of_something_wanted_is_a_choice() -> None:
    command = {"type": "string", "enum": ["view", "str_replace"]}
    values = {"path": "a.py", **CHANGE}
    editor = {"command": command, "path": STRING, "old_str": STRING, "new_str": STRING}
    expected = {"command": "str_replace", "path": "a.py", "old_str": "one", "new_str": "two"}
    assert filled(editor, values) == expected
    assert filled(editor, values | {"command": "ls"}) == expected


def test_a_schema_that_refers_to_itself_ends() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
    assert filled({"node": {"$ref": "#/$defs/Node"}}, CHANGE, defs={"Node": node}) == {"node": {}}
    loop = {"$defs": {"Loop": {"$ref": "#/$defs/Loop"}}, "properties": {"a": {"$ref": "#/$defs/Loop"}}}
    assert SchemaFiller(loop | {"required": ["a"]}, CHANGE).arguments() == {"a": ""}
