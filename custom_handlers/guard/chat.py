"""What is changed in a body of the chat surface before LiteLLM sees it."""

from __future__ import annotations

from typing import Any

from custom_handlers.guard import allowed_tools, content
from custom_handlers.guard.content import Part
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
from custom_handlers.guard.spoken import spoken

_FIELDS = {
    "stream": FLAG,
    "messages": OBJECTS,
    "tools": OBJECTS,
    "tool_choice": TEXT_OR_OBJECT,
    "parallel_tool_calls": FLAG,
    "functions": OBJECTS,
    "function_call": TEXT_OR_OBJECT,
    "response_format": OBJECT,
    "stream_options": OBJECT,
    "stop": TEXT_OR_LIST,
}
_RANGES = {
    name: name for name in ("temperature", "top_p", "presence_penalty", "frequency_penalty", "max_tokens", "n", "stop")
} | {"max_completion_tokens": "max_tokens"}
_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_CHOICES = ("auto", "none", "required", "any")


def prepare(body: dict[str, Any]) -> None:
    """Changes `body` in place. Raises RejectedError for what cannot be answered."""
    check(body, _FIELDS)
    check_ranges(body, _RANGES)
    if not body.get("messages"):
        raise refused("messages", "must be a list with at least one message.")
    for index, message in enumerate(body["messages"]):
        _message(message, f"messages[{index}]")
    allowed_tools.narrow(body)
    _tools(body)


def _message(message: dict[str, Any], where: str) -> None:
    role = message.get("role")
    if role not in _ROLES:
        raise refused(f"{where}.role", f"must be one of: {', '.join(_ROLES)}.")
    check(message, {"tool_calls": OBJECTS, "function_call": OBJECT, "refusal": TEXT}, f"{where}.")
    if role in ("tool", "function"):
        check(message, {"tool_call_id": TEXT}, f"{where}.")
        message["content"] = content.result(message.get("content"), _kept)
        return
    if (said := message.get("content")) is not None:
        message["content"] = spoken(said, f"{where}.content")
    for number, call in enumerate(message.get("tool_calls") or ()):
        _call(call, f"{where}.tool_calls[{number}]")
    if message.get("function_call"):
        name_of(message["function_call"], f"{where}.function_call")


def _call(call: dict[str, Any], where: str) -> None:
    check(call, {"id": TEXT, "type": TEXT, "function": OBJECT, "custom": OBJECT}, f"{where}.")
    kind = "custom" if call.get("custom") and not call.get("function") else "function"
    if not call.get(kind):
        raise refused(where, "must name the function that it calls.")
    name_of(call[kind], f"{where}.{kind}")


def _tools(body: dict[str, Any]) -> None:
    for where in ("tools", "functions"):
        for index, tool in enumerate(body.get(where) or ()):
            _tool(tool, f"{where}[{index}]")
    if (choice := body.get("tool_choice")) is not None:
        body["tool_choice"] = _choice(choice)


def _choice(choice: Any) -> Any:
    """The one form of `choice` that LiteLLM lets through whatever the tool."""
    kind = choice.get("type") if isinstance(choice, dict) else choice
    if kind in _CHOICES:
        return "required" if kind == "any" else kind
    if isinstance(choice, dict):
        inner = next((choice[key] for key in ("function", "custom") if isinstance(choice.get(key), dict)), choice)
        if isinstance(name := inner.get("name"), str):
            return {"type": "function", "function": {"name": name}}
    raise refused("tool_choice", "must be auto, none, required or name a function.")


def _tool(tool: dict[str, Any], where: str) -> None:
    kind = tool.get("type", "function")
    if not isinstance(kind, str):
        raise refused(f"{where}.type", "must be a string.")
    if kind not in ("function", "custom"):
        return
    nested = tool.get(kind)
    if nested is not None and not isinstance(nested, dict):
        raise refused(f"{where}.{kind}", "must be an object.")
    holder, place = (nested, f"{where}.{kind}") if nested else (tool, where)
    check(holder, {"description": TEXT, "parameters": OBJECT}, f"{place}.")
    if kind == "custom" and (grammar := _grammar(holder.get("format"))):
        holder["description"] = f"{holder.get('description') or ''}{grammar}"


def _grammar(form: Any) -> str:
    """What a custom tool's input has to look like, for its description: on Responses LiteLLM puts it there as well."""
    inner = form.get("grammar") if isinstance(form, dict) else None
    given = inner if isinstance(inner, dict) else form
    if not isinstance(given, dict) or not isinstance(definition := given.get("definition"), str):
        return ""
    return f"\n\nFormat:\n```{given.get('syntax') or ''}\n{definition}\n```"


def _kept(part: Part) -> Part | None:
    """Files of a tool result that the handler can upload, in the form it knows."""
    match part.get("type"):
        case "image_url" | "file" if isinstance(part.get(part["type"]), dict):
            return part
        case "input_image" if isinstance(url := part.get("image_url"), str):
            return {"type": "image_url", "image_url": {"url": url}}
        case "image" if isinstance(data := part.get("data"), str) and isinstance(kind := part.get("mimeType"), str):
            return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{data}"}}
        case "image" | "document" if isinstance(source := part.get("source"), dict) and (url := _url(source)):
            return {"type": "image_url", "image_url": {"url": url}}
    return None


def _url(source: dict[str, Any]) -> str | None:
    """Anthropic's source of an image or document, as an address."""
    if isinstance(url := source.get("url"), str):
        return url
    data = source.get("data")
    return f"data:{source.get('media_type')};base64,{data}" if source.get("type") == "base64" and data else None
