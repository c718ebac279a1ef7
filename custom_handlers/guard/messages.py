"""What is changed in a body of the messages surface before LiteLLM sees it."""

from __future__ import annotations

from typing import Any

from custom_handlers.guard import content, offered_tools
from custom_handlers.guard.content import Part
from custom_handlers.guard.shapes import FLAG, OBJECT, OBJECTS, TEXT, TEXTS, check, check_ranges, name_of, refused
from custom_handlers.guard.spoken import text_in, unknown

_FIELDS = {
    "stream": FLAG,
    "messages": OBJECTS,
    "stop_sequences": TEXTS,
    "tools": OBJECTS,
    "tool_choice": OBJECT,
    "thinking": OBJECT,
    "output_config": OBJECT,
    "output_format": OBJECT,
}
_RANGES = {"temperature": "temperature", "top_p": "top_p", "max_tokens": "max_tokens", "stop_sequences": "stop"}
_ROLES = ("system", "user", "assistant")
_THOUGHTS = ("thinking", "redacted_thinking")
# What the vendor ran in its own answer: LiteLLM drops it, and the model would not know what it has found out.
_RUN_BY_VENDOR = ("server_tool_use", "mcp_tool_use")
_FAILED = "[The tool reports an error.]"


def prepare(body: dict[str, Any]) -> None:
    """Changes `body` in place. Raises RejectedError for what cannot be answered."""
    check(body, _FIELDS)
    check_ranges(body, _RANGES)
    if not body.get("messages"):
        raise refused("messages", "must be a list with at least one message.")
    if body.get("system") is not None:
        body["system"] = _texts(body["system"], "system")
    offered_tools.offer(body)  # while the references to tools are still there
    for index, message in enumerate(body["messages"]):
        _message(message, f"messages[{index}]")


def _message(message: dict[str, Any], where: str) -> None:
    role, where = message.get("role"), f"{where}.content"
    if role not in _ROLES:
        raise refused(where.replace(".content", ".role"), f"must be one of: {', '.join(_ROLES)}.")
    said = message.get("content")
    if not isinstance(said, str | list):
        raise refused(where, "must be text or a list of blocks.")
    if isinstance(said, str):
        return
    if role == "system":
        message["content"] = _texts(said, where)
    else:
        block = _asked if role == "user" else _answered
        message["content"] = [block(part, f"{where}[{index}]") for index, part in enumerate(said)]


def _texts(given: Any, where: str) -> str | list[Part]:
    if isinstance(given, str):
        return given
    if not isinstance(given, list):
        raise refused(where, "must be text or a list of text blocks.")
    blocks = []
    for index, part in enumerate(given):
        if isinstance(part, str):
            part = {"type": "text", "text": part}
        if not isinstance(part, dict) or part.get("type") != "text":
            raise unknown(part, f"{where}[{index}]")
        blocks.append({**part, "text": text_in(part, f"{where}[{index}]")})
    return blocks


def _asked(part: Any, where: str) -> Part:
    """A block of a user's message."""
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, dict):
        raise unknown(part, where)
    kind = part.get("type")
    if kind == "text":
        return {**part, "text": text_in(part, where)}
    if kind == "tool_result":
        return _result(part, where)
    if kind in ("image", "document") and _is_file(part):
        return part
    if kind == "document" and (text := content.document(part)) is not None:
        return {"type": "text", "text": text}
    if kind in ("image", "document", "container_upload"):
        raise refused(where, "names a file that is not in the request: send its text, its data or its address.")
    if kind in ("search_result", "resource", "resource_link", "tool_reference"):
        return {"type": "text", "text": content.as_text(part)}
    raise unknown(part, where)


def _result(part: Part, where: str) -> Part:
    check(part, {"tool_use_id": TEXT, "is_error": FLAG}, f"{where}.")
    text = content.result(part.get("content"), lambda block: block if _is_file(block) else None)
    if part.get("is_error"):  # LiteLLM knows no place for it
        text = f"{_FAILED}\n{text}" if isinstance(text, str) else [{"type": "text", "text": _FAILED}, *text]
    return {**part, "content": text}


def _answered(part: Any, where: str) -> Part:
    """A block of an assistant's message: what LiteLLM has no word for becomes text."""
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, dict) or part.get("type") == "tool_result":
        raise unknown(part, where)
    match part.get("type"):
        case "text":
            return {**part, "text": text_in(part, where)}
        case "tool_use":
            name_of(part, where)
            check(part, {"id": TEXT}, f"{where}.")
            return part
        case kind if kind in _THOUGHTS:
            return part
        case kind if kind in _RUN_BY_VENDOR:
            text = f"[called {part.get('name')}: {content.as_text({'type': 'json', 'json': part.get('input')})}]"
        case str(kind) if kind.endswith("_tool_result"):
            text = f"[{kind}]\n{content.as_text(part.get('content'))}"
        case _:
            text = content.as_text(part)
    return {"type": "text", "text": f"\n{text}\n"}


def _is_file(part: Part) -> bool:
    """Whether LiteLLM finds the image or document in `part`."""
    source = part.get("source")
    if part.get("type") not in ("image", "document") or not isinstance(source, dict):
        return False
    held = {"base64": "data", "url": "url"}.get(str(source.get("type")))
    return held is not None and isinstance(source.get(held), str)
