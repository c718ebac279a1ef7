"""What is changed in a body of the responses surface before LiteLLM sees it."""

from __future__ import annotations

from typing import Any

from custom_handlers.guard import allowed_tools, response_items
from custom_handlers.guard.response_items import STORED
from custom_handlers.guard.shapes import (
    FLAG,
    OBJECT,
    OBJECTS,
    TEXT,
    TEXT_OR_LIST,
    TEXT_OR_OBJECT,
    check,
    check_ranges,
    name_of,
    refused,
)

_FIELDS = {
    "stream": FLAG,
    "background": FLAG,
    "store": FLAG,
    "input": TEXT_OR_LIST,
    "instructions": TEXT,
    "tools": OBJECTS,
    "tool_choice": TEXT_OR_OBJECT,
    "parallel_tool_calls": FLAG,
    "text": OBJECT,
    "reasoning": OBJECT,
    "metadata": OBJECT,
}
_RANGES = {"temperature": "temperature", "top_p": "top_p", "max_output_tokens": "max_tokens"}
_OWN_TYPES = ("function", "custom", "namespace")
# Tools that OpenAI would run, and whose absence makes another answer. Coding agents send others (web search, image
# generation, tool search, a shell) by default beside their own tools, and do without.
_NEEDED = ("file_search", "code_interpreter", "mcp", "computer")
_MODES = ("auto", "none", "required")


def prepare(body: dict[str, Any]) -> None:
    """Changes `body` in place. Raises RejectedError for what cannot be answered."""
    check(body, _FIELDS)
    check_ranges(body, _RANGES)
    _refuse_stored(body)
    given = body.get("input")
    if given is None or (not given and not body.get("instructions")):
        raise refused("input", "must be a text or a list with at least one item.")
    if isinstance(given, list):
        body["input"] = response_items.readable(given)
        _add_tools(body, response_items.tools_found(given))
    _format(body)
    for index, tool in enumerate(body.get("tools") or ()):
        _tool(tool, f"tools[{index}]")
    allowed_tools.narrow(body)
    _offer(body)


def _refuse_stored(body: dict[str, Any]) -> None:
    if body.get("previous_response_id"):
        raise refused("previous_response_id", f"names an earlier response. {STORED}")
    if body.get("conversation"):
        raise refused("conversation", f"names a stored conversation. {STORED}")
    if body.get("prompt"):
        raise refused("prompt", "names a stored prompt: the gateway has none. Send its text as `instructions`.")
    if body.get("background"):
        raise refused(
            "background",
            "is not supported: the gateway stores no responses that could be asked for later. Leave it out, and use "
            "`stream: true` for an answer that takes long.",
        )


def _add_tools(body: dict[str, Any], found: list[dict[str, Any]]) -> None:
    if found:
        tools = body.get("tools") or []
        names = {tool.get("name") for tool in tools}
        body["tools"] = [*tools, *(tool for tool in found if tool.get("name") not in names)]


def _format(body: dict[str, Any]) -> None:
    text = body.get("text") or {}
    check(text, {"format": OBJECT, "verbosity": TEXT}, "text.")
    check(text.get("format") or {}, {"type": TEXT, "name": TEXT, "schema": OBJECT}, "text.format.")


def _tool(tool: dict[str, Any], where: str) -> None:
    kind = tool.get("type")
    if not isinstance(kind, str):
        raise refused(f"{where}.type", "must be a string.")
    if kind.startswith(_NEEDED):
        raise refused(
            where, f"is of type `{kind[:100]}`, which OpenAI would run: StackSpot has no such tool. Leave it out."
        )
    if kind in ("function", "custom"):
        name_of(tool, where)
        check(tool, {"description": TEXT, "parameters": OBJECT}, f"{where}.")
    if kind == "namespace":
        name_of(tool, where)
        check(tool, {"tools": OBJECTS}, f"{where}.")
        for index, member in enumerate(tool.get("tools") or ()):
            if member.get("type") in ("function", "custom"):
                name_of(member, f"{where}.tools[{index}]")


def _offer(body: dict[str, Any]) -> None:
    """Leaves out the tools that nobody here can run, and checks that what `tool_choice` demands is there."""
    tools = body.get("tools") or []
    offered = [tool for tool in tools if tool["type"] in _OWN_TYPES]
    if tools:
        body["tools"] = offered
    choice = body.get("tool_choice")
    if isinstance(choice, dict):
        check(choice, {"type": TEXT, "name": TEXT, "function": OBJECT}, "tool_choice.")
    kind = choice.get("type") if isinstance(choice, dict) else choice
    if kind in (None, "auto", "none") or (kind in _OWN_TYPES and offered):
        return
    if kind in ("required", "any", "tool", *_OWN_TYPES):
        if offered:
            return
        raise refused("tool_choice", "demands a call, but none of the tools can be called here.")
    if isinstance(choice, dict) and isinstance(kind, str):
        raise refused("tool_choice", f"demands `{kind[:100]}`, which OpenAI would run: StackSpot has no such tool.")
    raise refused("tool_choice", f"must be one of {', '.join(_MODES)}, or name a tool.")
