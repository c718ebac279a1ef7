"""Every place of a request in which something of the wrong type can stand, surface by surface."""

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.gateway.calling import CHAT, COMPLETIONS, MESSAGES, RESPONSES, request_body

Body = dict[str, Any]

WRONG: tuple[Any, ...] = (
    *(5, 1.5, True, "x", "", [], {}, [5], ["x"], [{}], [None], [[]]),
    *({"type": "x"}, [{"type": "x"}], {"type": 5}, [{"type": []}], {"type": {}}, {"type": "function"}, {"name": 5}),
)
FIELDS = {
    CHAT: "messages stream temperature top_p max_tokens max_completion_tokens n stop response_format tools tool_choice "
    "presence_penalty frequency_penalty parallel_tool_calls functions function_call stream_options",
    COMPLETIONS: "prompt stream temperature top_p max_tokens n stop suffix echo best_of stream_options",
    MESSAGES: "messages max_tokens stream system temperature top_p stop_sequences tools tool_choice thinking "
    "output_config output_format",
    RESPONSES: "input instructions stream temperature top_p max_output_tokens tools tool_choice text reasoning "
    "parallel_tool_calls background conversation prompt previous_response_id",
}
PARTS = (
    *("text", "image_url", "input_text", "input_image", "file", "input_file", "image", "document", "tool_result"),
    *("tool_use", "thinking", "refusal", "output_text", "input_audio", "search_result", "tool_reference", "json"),
)
PART_FIELDS = (
    *("text", "image_url", "file", "source", "content", "tool_use_id", "id", "name", "input", "refusal", "thinking"),
    *("title", "type"),
)
ITEMS = {
    "message": "role content",
    "function_call": "call_id name arguments id namespace",
    "function_call_output": "call_id output",
    "custom_tool_call": "call_id name input",
    "custom_tool_call_output": "call_id output",
    "reasoning": "summary content encrypted_content",
    "item_reference": "id",
    "computer_call": "action",
    "computer_call_output": "output",
    "local_shell_call": "action call_id",
    "local_shell_call_output": "id output",
    "shell_call_output": "output",
    "tool_search_call": "arguments",
    "tool_search_output": "tools",
    "web_search_call": "action",
    "file_search_call": "results",
    "image_generation_call": "result",
    "mcp_call": "output",
    "x_call": "y",
}
_OBJECT: dict[str, Any] = {"type": "object", "properties": {}}
FUNCTION = {"name": "f", "description": "d", "parameters": _OBJECT}
TOOLS: dict[str, tuple[Body, str]] = {
    CHAT: ({"type": "function", "function": FUNCTION}, "type function"),
    MESSAGES: (
        {"name": "f", "input_schema": _OBJECT},
        "type name description input_schema cache_control defer_loading",
    ),
    RESPONSES: ({"type": "function", **FUNCTION}, "type name description parameters strict"),
}


class Place(NamedTuple):
    """A `path` in a `body` in which something can stand."""

    body: Body
    path: tuple[str | int, ...]
    said: str = ""

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.path))} {self.said}"

    def holding(self, value: Any) -> Body:
        body = copy.deepcopy(self.body)
        inner: Any = body
        for step in self.path[:-1]:
            inner = inner[step]
        inner[self.path[-1]] = copy.deepcopy(value)
        return body


def places(route: str) -> Iterator[Place]:
    base = request_body(route)
    yield from (Place(base, (field,)) for field in FIELDS[route].split())
    if route == COMPLETIONS:
        return
    tool, fields = TOOLS[route]
    with_tool = base | {"tools": [tool]}
    yield from (Place(with_tool, ("tools", 0, field)) for field in fields.split())
    for kind in ("function", "allowed_tools"):
        choosing = with_tool | {"tool_choice": {"type": kind, "name": "f"}}
        for field in ("type", "name", "function", "tools", "mode", "allowed_tools"):
            yield Place(choosing, ("tool_choice", field), kind)
    yield from _in_messages(route, base)


def _in_messages(route: str, base: Body) -> Iterator[Place]:
    key = "input" if route == RESPONSES else "messages"

    def first(item: Body) -> Body:
        return base | {key: [item, {"role": "user", "content": "Hi"}]}

    fields = ("role", "content", *(("tool_calls", "function_call", "refusal", "name") if route == CHAT else ()))
    for role in ("user", "assistant", "system", *(("tool", "developer") if route == CHAT else ())):
        message = {"role": role, "content": "Hi", "tool_call_id": "a"}
        yield from (Place(first(message), (key, 0, field), role) for field in fields)
        for kind in PARTS:
            with_part = first(message | {"content": [{"type": kind}]})
            yield from (Place(with_part, (key, 0, "content", 0, field), f"{role} {kind}") for field in PART_FIELDS)
    if route == CHAT:
        call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        calling = first({"role": "assistant", "content": None, "tool_calls": [call]})
        inside = (("id",), ("type",), ("function",), ("custom",), ("function", "name"), ("function", "arguments"))
        yield from (Place(calling, (key, 0, "tool_calls", 0, *path)) for path in inside)
        yield Place(first({"role": "tool", "content": "r"}), (key, 0, "tool_call_id"))
    if route == MESSAGES:
        told = base | {"system": [{"type": "text", "text": "x"}]}
        yield from (Place(told, ("system", 0, field)) for field in ("type", "text"))
        result = first({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "r"}]})
        for field in ("content", "tool_use_id", "is_error"):
            yield Place(result, (key, 0, "content", 0, field), "tool_result")
    if route == RESPONSES:
        item = {"call_id": "a", "name": "f", "arguments": "{}", "output": "r", "input": "i"}
        for kind, names in ITEMS.items():
            yield from (Place(first(item | {"type": kind}), (key, 0, field), kind) for field in names.split())
        yield from (Place(base | {"text": {}}, ("text", field)) for field in ("format", "verbosity"))
        yield Place(base | {"tools": [{"type": "namespace", "name": "n"}]}, ("tools", 0, "tools"), "namespace")
