"""Which tool a call means, and what its arguments become."""

import json
from typing import Any

import pytest

from custom_handlers.core.errors import BadRequestError
from custom_handlers.emulation.lenient_json import InvalidJSONError
from custom_handlers.emulation.tool_arguments import Arguments, meant
from custom_handlers.emulation.tools import ToolConfig, read_tools

PATH = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}


def function(name: str = "read", parameters: Any = PATH, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters, **more}}


def tool_config(*tools: Any, **parameters: Any) -> ToolConfig:
    found = read_tools({"tools": list(tools or [function()]), **parameters})
    assert found
    return found


PATCH = "*** Begin Patch\n*** Add File: a\n+{\n*** End Patch"
CUSTOM = {"type": "custom", "custom": {"name": "apply_patch"}}


class TestNames:
    @pytest.mark.parametrize(
        ("given", "names", "expected"),
        [
            ("read_file", ["read_file", "READ_FILE"], "read_file"),
            ("READ_FILE", ["read_file", "READ_FILE"], "READ_FILE"),
            ("functions/read_file", ["read_file"], "read_file"),
            ("functions.read_file", ["read_file"], "read_file"),
            ("functions.read_file", ["read_file", "functions.read_file"], "functions.read_file"),
            ("default_api:read_file", ["read_file"], "read_file"),
            (" read_file ", ["read_file", "write"], "read_file"),
            ("`read_file`", ["read_file"], None),
            ("READ_FILE", ["read_file"], "read_file"),
            ("read-file", ["read_file"], "read_file"),
            ("readFile", ["read_file", "write_file"], "read_file"),
            ("Functions.Read_File", ["read_file"], "read_file"),
            ("read_file", ["mcp__files__read_file", "mcp__files__write_file"], "mcp__files__read_file"),
            ("files__read_file", ["mcp__files__read_file", "mcp__other__read_file"], "mcp__files__read_file"),
            ("files.read_file", ["mcp__files__read_file"], "mcp__files__read_file"),
            ("read_file", ["server.read_file"], "server.read_file"),
            ("read_file", ["server/read_file"], "server/read_file"),
            ("read_file", ["mcp__a__read_file", "mcp__b__read_file"], None),
            ("other__read_file", ["mcp__files__read_file"], None),
            ("ReadFile", ["read_file", "read-file"], None),
            ("file", ["read_file"], None),
            ("raed", ["read"], None),
            ("", ["read"], None),
            ("functions.", ["read"], None),
            ("...", ["read"], None),
        ],
    )
    def test_the_one_tool_that_is_meant(self, given: str, names: list[str], expected: str | None) -> None:
        assert meant(given, names) == expected

    def test_the_call_has_the_tools_own_name(self) -> None:
        tools = tool_config(function("mcp__files__read"), function("write"))
        found = tools.arguments("READ", {"path": "a"})
        assert (found.name, tools.tool(found.name).name) == ("mcp__files__read", "mcp__files__read")
        with pytest.raises(InvalidJSONError, match="no tool `raed`; the tools are mcp__files__read, write"):
            tools.arguments("raed", {})

    def test_the_choice_holds_for_the_tool_that_is_meant(self) -> None:
        choice = {"type": "function", "function": {"name": "read"}}
        tools = tool_config(function(), function("write"), tool_choice=choice)
        assert tools.arguments("functions.read", {"path": "a"}).misfit is None
        with pytest.raises(InvalidJSONError, match="only `read`"):
            tools.arguments("functions.write", {"path": "a"})


class TestArguments:
    @pytest.mark.parametrize("given", [None, "", " null ", "None", {}, "{}", []])
    def test_nothing_is_an_empty_object(self, given: Any) -> None:
        tools = tool_config(function(parameters={"type": "object", "properties": {"path": {"type": "string"}}}))
        assert tools.arguments("read", given) == Arguments("read", "{}")

    @pytest.mark.parametrize(
        ("tool", "given", "expected"),
        [
            (CUSTOM, PATCH, {"input": PATCH}),
            (CUSTOM, {"input": PATCH}, {"input": PATCH}),
            (CUSTOM, '{"input": "x"}', {"input": "x"}),
            (CUSTOM, '{"a": 1}', {"input": '{"a": 1}'}),
            (CUSTOM, "{ no JSON", {"input": "{ no JSON"}),
            (function("apply_patch"), PATCH, {"path": PATCH}),
            (function("apply_patch"), "5", {"path": "5"}),
            (function("apply_patch"), '{"path": "a"}', {"path": "a"}),
            (function("apply_patch"), [{"path": "a"}], {"path": "a"}),
            (function("apply_patch"), {"path": "\n 30 "}, {"path": "\n 30 "}),
            (function("apply_patch"), {"Path": "a"}, {"path": "a"}),
        ],
    )
    def test_one_reading(self, tool: Any, given: Any, expected: dict[str, str]) -> None:
        found = tool_config(tool).arguments("apply_patch", given)
        assert (json.loads(found.json), found.misfit) == (expected, None)

    @pytest.mark.parametrize(
        "given", ['{"path": "a', 5, True, ["a"], ["a", "b"], {"path": float("nan")}, {"path": {1, 2}}]
    )
    def test_what_can_never_be_passed_on(self, given: Any) -> None:
        with pytest.raises(InvalidJSONError):
            tool_config().arguments("read", given)

    def test_text_for_a_tool_that_takes_more_than_one(self) -> None:
        two = {
            "type": "object",
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            "required": ["a", "b"],
        }
        with pytest.raises(InvalidJSONError):
            tool_config(function(parameters=two)).arguments("read", "text")

    def test_a_misfit_is_reported_and_can_be_passed_on(self) -> None:
        found = tool_config().arguments("read", {"path": 5})
        assert found.json == '{"path": 5}'
        assert found.misfit == "the arguments do not fit the schema of `read`: $.path: 5 is not of type 'string'"

    def test_what_takes_too_long_is_unproven_and_the_next_ones_too(self) -> None:
        tools = tool_config(function(parameters={"properties": {"a": {"pattern": "^(a|aa)+$"}}}), function("b"))
        assert tools.arguments("read", {"a": "a" * 60 + "!"}).unproven
        assert tools.arguments("b", {"path": "x"}) == Arguments("b", '{"path": "x"}', unproven=True)
        assert tool_config(function(), function("b")).arguments("b", {"path": "x"}) == Arguments("b", '{"path": "x"}')

    @pytest.mark.parametrize(
        "schema", [{"required": "path"}, {"properties": {"n": {"exclusiveMinimum": True, "minimum": "1"}}}]
    )
    def test_a_schema_that_fits_no_draft_forbids_nothing(self, schema: Any) -> None:
        found = tool_config(function(parameters=schema)).arguments("read", {"n": "x"})
        assert found == Arguments("read", '{"n": "x"}')


class TestTools:
    def test_strict_and_custom_are_kept(self) -> None:
        tools = tool_config(function("a", strict=True), function("b", strict=None), CUSTOM).tools.by_name
        assert [(tool.strict, tool.custom) for tool in tools.values()] == [(True, False), (False, False), (False, True)]

    def test_a_tool_that_only_holds_a_place_is_not_offered(self) -> None:
        deferred = [{**function("late"), "defer_loading": True}, function("later", defer_loading=True)]
        assert list(tool_config(function(), *deferred).tools.by_name) == ["read"]
        named = tool_config(function(), *deferred, tool_choice={"type": "function", "function": {"name": "late"}})
        assert list(named.tools.by_name) == ["read", "late"]
        assert read_tools({"tools": deferred}) is None

    def test_a_schema_beyond_the_bound_is_refused_and_named(self) -> None:
        schema: dict[str, Any] = {"d0": {"type": "integer"}}
        for level in range(1, 20):
            schema[f"d{level}"] = {"allOf": [{"$ref": f"#/$defs/d{level - 1}"}] * 2}
        hostile = {"$defs": schema, "properties": {"a": {"$ref": "#/$defs/d19"}}}
        with pytest.raises(BadRequestError, match=r"the tool `bad` .*#/\$defs/d\d+ expands to more than") as refused:
            tool_config(function(), function("bad", parameters=hostile))
        assert refused.value.param == "tools[1]"

    def test_many_large_schemas_are_refused_together(self) -> None:
        large = {"properties": {f"p{i}": {"type": "string"} for i in range(4000)}}
        with pytest.raises(BadRequestError, match="more than 20000 parts in all"):
            tool_config(*(function(f"t{i}", parameters=large) for i in range(6)))
