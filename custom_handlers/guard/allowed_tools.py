"""OpenAI's `tool_choice` of type `allowed_tools`, which LiteLLM drops: the list of tools becomes the allowed ones."""

from collections.abc import Iterator, Mapping
from typing import Any

from custom_handlers.guard.shapes import OBJECTS, check, refused

_WHERE = "tool_choice"
_MODES = ("auto", "required")


def narrow(body: dict[str, Any]) -> None:
    """Leaves in `tools` what `tool_choice` allows, and its mode in its place. Raises RejectedError.

    Chat completions nest mode and tools in `allowed_tools`, Responses do not; either form is read on both.
    """
    choice = body.get(_WHERE)
    if not isinstance(choice, dict) or choice.get("type") != "allowed_tools":
        return
    nested = isinstance(choice.get("allowed_tools"), dict)
    given: Mapping[str, Any] = choice["allowed_tools"] if nested else choice
    where = f"{_WHERE}.allowed_tools" if nested else _WHERE
    mode = given.get("mode", "auto")
    if mode not in _MODES:
        raise refused(f"{where}.mode", "must be auto or required.")
    check(given, {"tools": OBJECTS}, f"{where}.")
    if not given.get("tools"):
        raise refused(f"{where}.tools", "must name at least one tool.")
    allowed = [_named(tool, f"{where}.tools[{index}]") for index, tool in enumerate(given["tools"])]
    tools = [tool for tool in body.get("tools") or [] if isinstance(tool, dict)]
    known = {key for tool in tools for key in _keys(tool)}
    for index, key in enumerate(allowed):
        if key not in known:
            raise refused(f"{where}.tools[{index}]", f"names `{key[:100]}`, which is not among the tools.")
    body["tools"] = list(_kept(tools, frozenset(allowed)))
    body[_WHERE] = mode


def _named(tool: Mapping[str, Any], where: str) -> str:
    if not (key := _key(tool)):
        raise refused(where, "must name a tool.")
    namespace = tool.get("namespace")
    return f"{namespace}__{key}" if isinstance(namespace, str) and namespace else key


def _key(tool: Mapping[str, Any]) -> str | None:
    """What a tool is known by: its name, or, if it has none, its type."""
    kind = tool.get("type")
    inner = tool.get(kind) if isinstance(kind, str) else None
    for holder, field in ((inner, "name"), (tool, "name"), (tool, "server_label"), (tool, "type")):
        if isinstance(holder, Mapping) and isinstance(key := holder.get(field), str) and key:
            return key
    return None


def _own(tool: Mapping[str, Any]) -> Iterator[str]:
    """What can name `tool` itself; one that its vendor runs has no name but a type."""
    if isinstance(kind := tool.get("type"), str) and kind not in ("function", "custom", "namespace"):
        yield kind
    if key := _key(tool):
        yield key


def _keys(tool: Mapping[str, Any]) -> Iterator[str]:
    """All that `tool` can be named by, members of a namespace included."""
    yield from _own(tool)
    yield from (name for member in _members(tool) for name in _member_names(tool, member))


def _kept(tools: list[dict[str, Any]], allowed: frozenset[str]) -> Iterator[dict[str, Any]]:
    for tool in tools:
        if not allowed.isdisjoint(_own(tool)):
            yield tool
        elif members := [m for m in _members(tool) if not allowed.isdisjoint(_member_names(tool, m))]:
            yield {**tool, "tools": members}


def _members(tool: Mapping[str, Any]) -> list[dict[str, Any]]:
    members = tool.get("tools") if tool.get("type") == "namespace" else None
    return [member for member in members if isinstance(member, dict)] if isinstance(members, list) else []


def _member_names(tool: Mapping[str, Any], member: Mapping[str, Any]) -> tuple[str, str]:
    name = str(member.get("name"))
    return name, f"{tool.get('name')}__{name}"
