"""The tools of a request: how the model is told of them, and whether a call of one is right.

Descriptions stand before the conversation and are built once per distinct list; the rules stand behind it, since models
forget a format that was explained a hundred thousand characters ago.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from custom_handlers.emulation.lenient_json import Unreadable, dumps
from custom_handlers.emulation.role_headers import shown_name
from custom_handlers.emulation.schemas import Schema
from custom_handlers.emulation.tool_syntax import escape_json, escape_tags
from custom_handlers.wire.errors import BadRequest

_LISTS_KEPT = 32  # each costs a few hundred kilobytes
_INTRODUCTION = "Tools that can be called, each with the JSON schema of its arguments."
_FORM = """\
To call a tool, write a block like this at the start of a line, outside code fences and quotes:
<tool_call>{"name": "tool name", "arguments": {"parameter": "value"}}</tool_call>
Between the tags stands one JSON object and nothing else. `arguments` must fit the tool's schema. In JSON strings, write
line breaks as \\n and put a backslash before quotes and backslashes. To show such a block without calling the tool, put
it inside a code fence and write a sentence after the fence."""
_RESULTS = """\
Stop after the last block. The results come in the next turn, as <tool_response>: never write one yourself.
In the texts above, such tags are quoted with a backslash behind the `<`, as in <\\tool_call>. The backslash is not part
of the text: leave it out when you write that text into the arguments of a call."""
_WHEN = {
    "auto": "If the next step needs a tool, call it in this message, do not announce it; otherwise answer in text.",
    "required": "This message must call a tool.",
    "none": "No tool can be called in this message: answer in plain text, without <tool_call>.",
}
_ONE = "Write one such block at most."
_SEVERAL = "Put calls that do not wait for each other into one message, as several blocks in a row."


@dataclass(frozen=True, slots=True)
class Arguments:
    """A call of the tool `name` as it can be passed on: `json` is strict JSON of an object.

    `misfit` says, for the model, why it does not fit the tool's schema. `unproven` says that finding out takes too long
    in this process: `prove` can do it.
    """

    name: str
    json: str
    misfit: str | None = None
    unproven: bool = False


@dataclass(frozen=True)
class Tool:
    """`strict` calls must fit the schema; a `custom` tool takes free text, as its only argument `input`."""

    name: str
    description: str
    parameters: Any
    strict: bool = False
    custom: bool = False

    @cached_property
    def schema(self) -> Schema:
        return Schema(self.parameters)

    def arguments(self, given: Any) -> Arguments:
        """`given`, an object or values in the order of the parameters. Raises Unreadable for what is no object."""
        if isinstance(given, list):
            names = list((self.parameters.get("properties") or {}) if isinstance(self.parameters, Mapping) else ())
            if len(given) > len(names):
                raise Unreadable(f"`{shown_name(self.name)}` does not take {len(given)} arguments without names")
            given = dict(zip(names, given, strict=False))
        misfit = None
        if problems := self.schema.problems(given):
            misfit = f"the arguments do not fit the schema of `{shown_name(self.name)}`: {problems}"
        return Arguments(self.name, dumps(given), misfit)


class Toolbox:
    """The tools of one list: `tools` by the names that the model sees, `text` as it is shown them.

    `shown` has those names by the tools' own.
    """

    def __init__(self, tools: list[Tool]) -> None:
        self.tools: dict[str, Tool] = {}
        self.shown: dict[str, str] = {}
        numbers: Counter[str] = Counter()
        for tool in {tool.name: tool for tool in tools}.values():
            name = alike = shown_name(tool.name)
            while name in self.tools:
                numbers[alike] += 1
                name = f"{alike}_{numbers[alike] + 1}"
            self.tools[name], self.shown[tool.name] = tool, name
        self.text = "\n\n".join((_INTRODUCTION, *(_described(name, tool) for name, tool in self.tools.items())))


@dataclass(frozen=True, slots=True)
class Tooling:
    """What a request says about tools. `choice` is auto, none or required; `only` names the one tool that is wanted,
    as the model sees it.

    `single` allows one call; `legacy` says that the caller uses `functions` and wants a `function_call` back.
    """

    box: Toolbox
    choice: str = "auto"
    only: str | None = None
    single: bool = False
    legacy: bool = False

    @property
    def text(self) -> str:
        """For render's `tools`."""
        return "" if self.choice == "none" else self.box.text

    @property
    def rules(self) -> str:
        """For render's `rules`."""
        if self.choice == "none":
            return _WHEN["none"]
        when = f"This message must call the tool `{self.only}`." if self.only else _WHEN[self.choice]
        names = f"The tools: {', '.join(self.box.tools)}."
        return "\n".join((_FORM, _ONE if self.single else _SEVERAL, when, _RESULTS, names))

    def arguments(self, name: str, given: Any) -> Arguments:
        """A call of the tool that is meant by `name`. Raises Unreadable when it can never be passed on."""
        name = name if name in self.box.tools else name.rpartition(".")[2]
        if self.choice == "none":
            raise Unreadable("no tool can be called in this message")
        if name not in self.box.tools:
            raise Unreadable(f"there is no tool `{shown_name(name)}`; the tools are {', '.join(self.box.tools)}")
        if self.only and name != self.only:
            raise Unreadable(f"only `{self.only}` can be called in this message")
        return self.box.tools[name].arguments(given)


def read_tools(parameters: Mapping[str, Any]) -> Tooling | None:
    """What `parameters` (OpenAI's request fields) say about tools, or None if there are none.

    Tools that the service would have to run itself (`web_search` and the like) are left out. Raises BadRequest.
    """
    legacy = not parameters.get("tools") and bool(parameters.get("functions"))
    where = "functions" if legacy else "tools"
    given = parameters.get(where) or []
    choice = parameters.get("function_call" if legacy else "tool_choice")
    if not isinstance(given, list):
        raise BadRequest(f"`{where}` must be a list.", param=where)
    try:
        box = _toolbox(json.dumps(given, ensure_ascii=False), where)
    except (TypeError, ValueError, RecursionError):
        raise BadRequest(f"`{where}` is not JSON.", param=where) from None
    mode, only = _choice(choice, "function_call" if legacy else "tool_choice")
    if only is not None and only not in box.shown:
        raise BadRequest(
            f"`tool_choice` names `{shown_name(only)}`, which is not among the tools.", param="tool_choice"
        )
    if not box.tools:
        if mode == "required":
            raise BadRequest("`tool_choice` asks for a call, but there are no tools.", param="tool_choice")
        return None
    single = legacy or parameters.get("parallel_tool_calls") is False
    return Tooling(box, mode, None if only is None else box.shown[only], single=single, legacy=legacy)


def _choice(given: Any, where: str) -> tuple[str, str | None]:
    if isinstance(given, Mapping):
        function = given.get("function")
        if isinstance(name := (function if isinstance(function, Mapping) else given).get("name"), str):
            return "required", name
        given = given.get("type")
    modes = {None: "auto", "auto": "auto", "none": "none", "required": "required", "any": "required"}
    if not isinstance(given, str | None) or given not in modes:
        raise BadRequest(f"`{where}` must be auto, none, required or name a function.", param=where)
    return modes[given], None


def forget() -> None:
    """Forgets all tool lists, for tests and benchmarks."""
    _toolbox.cache_clear()


@lru_cache(maxsize=_LISTS_KEPT)
def _toolbox(serialised: str, where: str) -> Toolbox:
    tools = (_tool(given, f"{where}[{i}]") for i, given in enumerate(json.loads(serialised)))
    return Toolbox([tool for tool in tools if tool])


def _tool(given: Any, where: str) -> Tool | None:
    if not isinstance(given, dict):
        raise BadRequest(f"`{where}` must be an object.", param=where)
    kind = given.get("type", "function")
    # Some vendors' own tools have no type: {"urlContext": {}}.
    if kind not in ("function", "custom") or (given and given.keys().isdisjoint(("type", "name", "function"))):
        return None
    function: dict[str, Any] = given[kind] if isinstance(given.get(kind), dict) else given
    name = function.get("name")
    if not isinstance(name, str) or not shown_name(name):
        raise BadRequest(f"`{where}` has no name.", param=where)
    text = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
    parameters = text if kind == "custom" else function.get("parameters") or {"type": "object", "properties": {}}
    description = function.get("description")
    return Tool(
        name,
        description if isinstance(description, str) else "",
        parameters,
        strict=function.get("strict") is True,
        custom=kind == "custom",
    )


def _described(name: str, tool: Tool) -> str:
    schema = escape_json(json.dumps(tool.parameters, ensure_ascii=False, separators=(",", ":")))
    return "\n".join(filter(None, (f"## {name}", escape_tags(tool.description.strip()), schema)))
