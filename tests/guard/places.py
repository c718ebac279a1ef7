"""Every place of a request in which something of the wrong type can stand, surface by surface."""

from collections.abc import Callable, Iterator
from typing import Any

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
PART_FIELDS = "text image_url file source content tool_use_id id name input refusal thinking title type".split()
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
    MESSAGES: ({"name": "f", "input_schema": _OBJECT}, "type name description input_schema cache_control defer_loading"),
    RESPONSES: ({"type": "function", **FUNCTION}, "type name description parameters strict"),
}


def places(route: str) -> Iterator[tuple[str, Callable[[Any], Body]]]:
    """A name for each place, and what makes a body with a value there."""
    base = request_body(route)
    for field in FIELDS[route].split():
        yield field, lambda value, field=field: base | {field: value}
    if route == COMPLETIONS:
        return
    tool, fields = TOOLS[route]
    for field in fields.split():
        yield f"tools[0].{field}", lambda value, field=field: base | {"tools": [tool | {field: value}]}
    for field in ("type", "name", "function", "tools", "mode", "allowed_tools"):
        choice = {"type": "allowed_tools" if field in ("tools", "mode", "allowed_tools") else "function", "name": "f"}
        yield (
            f"tool_choice.{field}",
            lambda value, field=field, choice=choice: base | {"tools": [tool], "tool_choice": choice | {field: value}},
        )
    yield from _in_messages(route, base)


def _in_messages(route: str, base: Body) -> Iterator[tuple[str, Callable[[Any], Body]]]:
    key = "input" if route == RESPONSES else "messages"

    def with_first(first: Body) -> Body:
        return base | {key: [first, {"role": "user", "content": "Hi"}]}

    fields = ("role", "content", *(("tool_calls", "function_call", "refusal", "name") if route == CHAT else ()))
    for role in ("user", "assistant", "system", *(("tool", "developer") if route == CHAT else ())):
        for field in fields:
            first = {"role": role, "content": "Hi", "tool_call_id": "a"}
            yield f"{key}[0].{field} of {role}", lambda v, f=first, n=field: with_first(f | {n: v})
        for kind in PARTS:
            for field in PART_FIELDS:
                part = {"type": kind}
                yield (
                    f"{key}[0].content[0].{field} of {role}'s {kind}",
                    lambda v, r=role, p=part, n=field: with_first({"role": r, "content": [p | {n: v}], "tool_call_id": "a"}),
                )
    if route == CHAT:
        call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        answered = {"role": "assistant", "content": None}
        for field in ("id", "type", "function", "custom"):
            yield (
                f"messages[0].tool_calls[0].{field}",
                lambda v, n=field: with_first(answered | {"tool_calls": [call | {n: v}]}),
            )
        for field in ("name", "arguments"):
            yield (
                f"messages[0].tool_calls[0].function.{field}",
                lambda v, n=field: with_first(
                    answered | {"tool_calls": [call | {"function": {"name": "f", "arguments": "{}"} | {n: v}}]}
                ),
            )
        yield "messages[0].tool_call_id", lambda v: with_first({"role": "tool", "content": "r", "tool_call_id": v})
    if route == MESSAGES:
        for field in ("type", "text"):
            yield f"system[0].{field}", lambda v, n=field: base | {"system": [{"type": "text", "text": "x"} | {n: v}]}
        for field in ("content", "tool_use_id", "is_error"):
            result = {"type": "tool_result", "tool_use_id": "a", "content": "r"}
            yield (
                f"tool_result.{field}",
                lambda v, n=field, r=result: with_first({"role": "user", "content": [r | {n: v}]}),
            )
    if route == RESPONSES:
        for kind, names in ITEMS.items():
            for field in names.split():
                item = {"type": kind, "call_id": "a", "name": "f", "arguments": "{}", "output": "r", "input": "i"}
                yield f"input[0].{field} of {kind}", lambda v, i=item, n=field: with_first(i | {n: v})
        for field in ("format", "verbosity"):
            yield f"text.{field}", lambda v, n=field: base | {"text": {n: v}}
        yield "namespace.tools", lambda v: base | {"tools": [{"type": "namespace", "name": "n", "tools": v}]}
