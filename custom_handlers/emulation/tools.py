"""The tools of a request: how they are shown to the model, and whether a call of one is right.

Descriptions stand before the conversation and are built once per distinct list; the rules stand behind it, since models
forget a format that was explained a hundred thousand characters ago.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from custom_handlers.core.errors import BadRequestError
from custom_handlers.emulation.json_schema.budget import Budget
from custom_handlers.emulation.json_schema.drafts import SchemaTooComplexError
from custom_handlers.emulation.json_schema.schema import Schema
from custom_handlers.emulation.lenient_json import InvalidJSONError
from custom_handlers.emulation.role_headers import shown_name
from custom_handlers.emulation.tool_arguments import Arguments, meant, read_arguments
from custom_handlers.emulation.tool_call_format import escape_json, escape_tags

_LISTS_KEPT = 32  # each costs a few hundred kilobytes
_MOST_PARTS = 20_000
_DEFERRED = "defer_loading"
_INTRODUCTION = "The tools that you can call, each with the JSON schema of its arguments."
_FORM = """\
To call a tool, write a block like this at the start of a line, outside code fences and quotes:
<tool_call>{"name": "tool name", "arguments": {"parameter": "value"}}</tool_call>
Put exactly one JSON object between the tags. `arguments` must match the tool's schema. In JSON strings, write line
breaks as \\n and escape quotes and backslashes with a backslash. To show such a block without calling the tool, put it
inside a code fence and write a sentence after the fence."""
_RESULTS = """\
Stop after the last block. The results come in the next turn, as <tool_response>: never write one yourself.
In the texts above, a tag with a backslash after its `<`, as in <\\tool_call>, is quoted text, not a call or a result.
The backslash is not part of that text: leave it out when you write the text into the arguments of a call."""
_WHEN = {
    "auto": "If the next step needs a tool, call it in this message; do not announce it. Otherwise answer in text.",
    "required": "This message must call a tool.",
    "none": "You cannot call a tool in this message: answer in plain text, without <tool_call>.",
}
_ONE = "Write at most one such block."
_SEVERAL = "If calls do not depend on each other, write them in one message, as several blocks in a row."


@dataclass(frozen=True)
class Tool:
    """`strict` calls must fit the schema; a `custom` tool takes free text, as its only argument `input`."""

    name: str
    description: str
    parameters: Any
    schema: Schema
    strict: bool = False
    custom: bool = False

    def arguments(self, given: Any, budget: Budget | None = None) -> Arguments:
        """`given` as read_arguments takes it. Raises Unreadable for what can never be passed on."""
        return read_arguments(self.name, self.schema, self.parameters, given, budget or Budget(), custom=self.custom)


class ToolSet:
    """The tools of one list: `by_name` has the names that the model sees, `text` is what it is shown of them.

    `shown` has those names by the tools' own.
    """

    def __init__(self, tools: list[Tool]) -> None:
        self.by_name: dict[str, Tool] = {}
        self.shown: dict[str, str] = {}
        numbers: Counter[str] = Counter()
        for tool in {tool.name: tool for tool in tools}.values():
            name = alike = shown_name(tool.name)
            while name in self.by_name:
                numbers[alike] += 1
                name = f"{alike}_{numbers[alike] + 1}"
            self.by_name[name], self.shown[tool.name] = tool, name
        self.text = "\n\n".join((_INTRODUCTION, *(_described(name, tool) for name, tool in self.by_name.items())))


@dataclass(frozen=True, slots=True)
class ToolConfig:
    """What a request says about tools. `tool_choice` is auto, none or required; `forced_tool` names the one that must
    be called, as the model sees it.

    `functions_api` says that the caller uses `functions` and wants a `function_call` back. `budget` is what checks may
    cost, in all answers to the request together.
    """

    tools: ToolSet
    tool_choice: str = "auto"
    forced_tool: str | None = None
    parallel_tool_calls: bool = True
    functions_api: bool = False
    budget: Budget = field(default_factory=Budget, compare=False, repr=False)

    @property
    def text(self) -> str:
        """For render's `tools`."""
        return "" if self.tool_choice == "none" else self.tools.text

    @property
    def rules(self) -> str:
        """For render's `rules`."""
        if self.tool_choice == "none":
            return _WHEN["none"]
        when = _WHEN[self.tool_choice]
        if self.forced_tool:
            when = f"This message must call the tool `{self.forced_tool}`."
        names = f"The tools: {', '.join(self.tools.by_name)}."
        return "\n".join((_FORM, _SEVERAL if self.parallel_tool_calls else _ONE, when, _RESULTS, names))

    def tool(self, name: str) -> Tool:
        """The tool of a call that `arguments` has read, by its own name."""
        return self.tools.by_name[self.tools.shown[name]]

    def arguments(self, name: str, given: Any) -> Arguments:
        """A call of the tool that is meant by `name`. Raises InvalidJSONError when it can never be passed on."""
        if self.tool_choice == "none":
            raise InvalidJSONError("no tool can be called in this message")
        names = self.tools.by_name
        shown = meant(name, names)
        if shown is None:
            raise InvalidJSONError(f"there is no tool `{shown_name(name)}`; the tools are {', '.join(names)}")
        if self.forced_tool and shown != self.forced_tool:
            raise InvalidJSONError(f"only `{self.forced_tool}` can be called in this message")
        return names[shown].arguments(given, self.budget)


def read_tools(parameters: Mapping[str, Any]) -> ToolConfig | None:
    """What `parameters` (OpenAI's request fields) say about tools, or None if there are none.

    Tools that the service would have to run itself (`web_search` and the like) are left out. Raises BadRequestError.
    """
    functions_api = not parameters.get("tools") and bool(parameters.get("functions"))
    where = "functions" if functions_api else "tools"
    given = parameters.get(where) or []
    choice = parameters.get("function_call" if functions_api else "tool_choice")
    if not isinstance(given, list):
        raise BadRequestError(f"`{where}` must be a list.", param=where)
    try:
        serialised = json.dumps(given, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        raise BadRequestError(f"`{where}` is not JSON.", param=where) from None
    mode, forced = _tool_choice(choice, "function_call" if functions_api else "tool_choice")
    tools = _tool_set(serialised, where, forced if _DEFERRED in serialised else None)
    if forced is not None and forced not in tools.shown:
        raise BadRequestError(
            f"`tool_choice` names `{shown_name(forced)}`, which is not among the tools.", param="tool_choice"
        )
    if not tools.by_name:
        if mode == "required":
            raise BadRequestError("`tool_choice` asks for a call, but there are no tools.", param="tool_choice")
        return None
    parallel = not functions_api and parameters.get("parallel_tool_calls") is not False
    return ToolConfig(
        tools,
        mode,
        None if forced is None else tools.shown[forced],
        parallel_tool_calls=parallel,
        functions_api=functions_api,
    )


def _tool_choice(given: Any, where: str) -> tuple[str, str | None]:
    if isinstance(given, Mapping):
        function = given.get("function")
        if isinstance(name := (function if isinstance(function, Mapping) else given).get("name"), str):
            return "required", name
        given = given.get("type")
    modes = {None: "auto", "auto": "auto", "none": "none", "required": "required", "any": "required"}
    if not isinstance(given, str | None) or given not in modes:
        raise BadRequestError(f"`{where}` must be auto, none, required or name a function.", param=where)
    return modes[given], None


def forget() -> None:
    """Forgets all tool lists, for tests and benchmarks."""
    _tool_set.cache_clear()


@lru_cache(maxsize=_LISTS_KEPT)
def _tool_set(serialised: str, where: str, named: str | None) -> ToolSet:
    """A tool that only holds a place is offered when it is `named`."""
    tools: list[Tool] = []
    parts = 0
    for i, given in enumerate(json.loads(serialised)):
        tool = _tool(given, f"{where}[{i}]", named)
        if tool:
            tools.append(tool)
            parts += tool.schema.parts
        if parts > _MOST_PARTS:
            raise BadRequestError(f"The schemas of `{where}` have more than {_MOST_PARTS} parts in all.", param=where)
    return ToolSet(tools)


def _tool(given: Any, where: str, named: str | None) -> Tool | None:
    if not isinstance(given, dict):
        raise BadRequestError(f"`{where}` must be an object.", param=where)
    kind = given.get("type", "function")
    # Some vendors' own tools have no type: {"urlContext": {}}.
    if kind not in ("function", "custom") or (given and given.keys().isdisjoint(("type", "name", "function"))):
        return None
    function: dict[str, Any] = given[kind] if isinstance(given.get(kind), dict) else given
    name = function.get("name")
    if not isinstance(name, str) or not shown_name(name):
        raise BadRequestError(f"`{where}` has no name.", param=where)
    if (given.get(_DEFERRED) is True or function.get(_DEFERRED) is True) and name != named:
        return None
    text = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
    parameters = text if kind == "custom" else function.get("parameters") or {"type": "object", "properties": {}}
    try:
        schema = Schema(parameters)
    except SchemaTooComplexError as error:
        raise BadRequestError(
            f"The schema of the tool `{shown_name(name)}` asks for too much work: {error}.", param=where
        ) from None
    description = function.get("description")
    return Tool(
        name,
        description if isinstance(description, str) else "",
        parameters,
        schema,
        strict=function.get("strict") is True,
        custom=kind == "custom",
    )


def _described(name: str, tool: Tool) -> str:
    schema = escape_json(json.dumps(tool.parameters, ensure_ascii=False, separators=(",", ":")))
    return "\n".join(filter(None, (f"## {name}", escape_tags(tool.description.strip()), schema)))
