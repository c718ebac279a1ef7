"""Which tools of Anthropic's kind are offered to the model.

Not those that the vendor would have to run, and not those that only hold a place (`defer_loading`) until a search of
the client's has brought them: a `tool_reference` anywhere in the conversation names them from then on.
"""

from collections.abc import Iterator
from typing import Any

from custom_handlers.guard.shapes import FLAG, OBJECT, TEXT, check, name_of, refused

_OWN = (None, "custom", "function")
# LiteLLM puts any other field of a tool into the schema of its arguments.
_KEPT = ("type", "name", "description", "input_schema", "cache_control", "strict", "function")
_CHOICES = ("auto", "any", "tool", "none")


def offer(body: dict[str, Any]) -> None:
    """Leaves in `tools` what can be called, and checks `tool_choice` against it. Raises RejectedError."""
    choice = body.get("tool_choice")
    if choice is not None and choice.get("type") not in _CHOICES:
        raise refused("tool_choice.type", f"must be one of: {', '.join(_CHOICES)}.")
    wanted = name_of(choice, "tool_choice") if choice and choice["type"] == "tool" else None
    tools = body.pop("tools", None) or []
    for index, tool in enumerate(tools):
        _check(tool, f"tools[{index}]")
    deferred = any(tool.get("defer_loading") is True for tool in tools)
    loaded = {*(_named(body["messages"]) if deferred else ()), wanted}
    offered = [
        {name: value for name, value in tool.items() if name in _KEPT}
        for tool in tools
        if _runs_at_clients(tool) and (tool.get("defer_loading") is not True or tool.get("name") in loaded)
    ]
    if wanted and all(wanted != tool.get("name") for tool in offered if "function" not in tool):
        if any(wanted == tool.get("name") for tool in tools):
            raise refused("tool_choice", f"demands `{wanted[:100]}`, which nobody here can run.")
        if not any("function" in tool for tool in offered):
            raise refused("tool_choice", f"names `{wanted[:100]}`, which is not among the tools.")
    if offered:
        body["tools"] = offered
        _one_at_a_time(body)
    elif choice:
        if choice["type"] in ("any", "tool"):
            raise refused("tool_choice", "demands a call, but none of the tools can be called here.")
        del body["tool_choice"]


def _check(tool: dict[str, Any], where: str) -> None:
    check(tool, {"type": TEXT, "description": TEXT, "input_schema": OBJECT, "defer_loading": FLAG}, f"{where}.")
    if tool.get("type") in (None, "custom") and "input_schema" in tool:
        name_of(tool, where)


def _runs_at_clients(tool: dict[str, Any]) -> bool:
    if tool.get("type") not in _OWN:
        return False
    if isinstance(tool.get("function"), dict):
        return True
    # Without a name it is another vendor's: {"googleSearch": {}}. LiteLLM takes this one for Anthropic's own.
    return isinstance(tool.get("name"), str) and (tool["name"] != "web_search" or "input_schema" in tool)


def _one_at_a_time(body: dict[str, Any]) -> None:
    """LiteLLM loses this part of `tool_choice`, and passes OpenAI's field for it on."""
    if (body.get("tool_choice") or {}).get("disable_parallel_tool_use") is True:
        body["parallel_tool_calls"] = False


def _named(messages: list[Any]) -> Iterator[str]:
    """The tools that the conversation has loaded or called."""
    waiting: list[Any] = [messages]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            kind = value.get("type")
            name = value.get("tool_name") if kind == "tool_reference" else value.get("name")
            if kind in ("tool_reference", "tool_use") and isinstance(name, str):
                yield name
            elif kind != "tool_use":
                waiting += [value.get("content"), value.get("tool_references")]
