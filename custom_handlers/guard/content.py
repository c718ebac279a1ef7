"""Parts of messages and of tool results that LiteLLM stumbles over or drops, as text or as a note about what they were.

A tool result holds whatever an MCP server, a client or another vendor's API put there. A 400 for it would end the
session, since it comes again with each turn: what cannot be shown to the model is named, the rest becomes text.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

Part = dict[str, Any]

_TEXT_TYPES = ("text", "input_text", "output_text", "summary_text", "guarded_text")
_FILE_TYPES = (
    *("image", "image_url", "input_image", "audio", "input_audio", "audio_url", "video", "video_url"),
    *("file", "input_file", "document", "container_upload", "computer_screenshot", "blob"),
)
# Where the types that carry any JSON have it: Anthropic's, MCP's and the Vercel AI SDK's.
_VALUES = ("json", "value", "data", "content")
_OPAQUE = ("encrypted_content", "encrypted_index", "blob", "data", "result", "signature", "image_url", "file_data")
_LONGEST_OPAQUE = 200
_DEEPEST = 10


def result(value: Any, kept: Callable[[Part], Part | None]) -> str | list[Part]:
    """The content of a tool result as text, or as parts where `kept` makes one that LiteLLM passes on."""
    parts = [kept(part) or as_text(part) if isinstance(part, dict) else as_text(part) for part in _flat(value)]
    if any(isinstance(part, dict) for part in parts):
        return [part if isinstance(part, dict) else {"type": "text", "text": part} for part in parts]
    return "\n".join(part for part in parts if isinstance(part, str))


def as_text(part: Any, depth: int = 0) -> str:
    """What `part` says, in words for the model."""
    if isinstance(part, str):
        return part
    if depth > _DEEPEST:
        return "[left out: nested too deep]"
    if isinstance(part, list):
        return "\n".join(as_text(item, depth + 1) for item in part)
    if not isinstance(part, Mapping):
        return "" if part is None else _json(part)
    kind = part.get("type")
    if isinstance(kind, str) and (teller := _TELLERS.get(kind)):
        return teller(part, depth)
    if isinstance(kind, str) and kind in _FILE_TYPES:
        return left_out(kind)
    for name in ("text", "refusal"):
        if isinstance(text := part.get(name), str):
            return text
    if kind in (None, *_TEXT_TYPES) and isinstance(part.get("text"), Mapping | list):
        return as_text(part["text"], depth + 1)
    return _json(part)


def left_out(kind: str) -> str:
    """The note that stands for a file of `kind`, in the words of the prompt's own."""
    return f"[{kind} left out: this model reads text only]"


def document(part: Mapping[str, Any], depth: int = 0) -> str | None:
    """The text of an Anthropic document that holds text; None for one that holds a file."""
    source = part.get("source")
    source = source if isinstance(source, Mapping) else {}
    match source.get("type"):
        case "text":
            text = as_text(source.get("data"), depth + 1)
        case "content":
            text = as_text(source.get("content"), depth + 1)
        case _:
            return None
    return _headed(f"document: {part['title']}" if part.get("title") else "document", part.get("context"), text)


def _document(part: Mapping[str, Any], depth: int) -> str:
    text = document(part, depth)
    title = part.get("title")
    named = f" `{title}`" if isinstance(title, str) and title else ""
    return left_out(f"document{named}") if text is None else text


def _search_result(part: Mapping[str, Any], depth: int) -> str:
    title = " - ".join(text for name in ("title", "source", "url") if isinstance(text := part.get(name), str) and text)
    return _headed(f"search result: {title}", part.get("page_age"), as_text(part.get("content"), depth + 1))


def _resource(part: Mapping[str, Any], depth: int) -> str:
    resource = part.get("resource")
    if not isinstance(resource, Mapping):
        return _json(part)
    text = resource.get("text")
    return _headed(
        f"resource: {_place(resource)}",
        text if isinstance(text, str) else left_out("content") if "blob" in resource else as_text(resource, depth + 1),
    )


def _resource_link(part: Mapping[str, Any], _: int) -> str:
    description = part.get("description")
    return _headed(f"resource link: {_place(part)}", description if isinstance(description, str) else "")


def _place(part: Mapping[str, Any]) -> str:
    return " - ".join(text for name in ("uri", "title", "name", "mimeType") if isinstance(text := part.get(name), str))


def _tool_reference(part: Mapping[str, Any], _: int) -> str:
    return f"[The tool `{part.get('tool_name') or part.get('name')}` can be called from now on.]"


def _value(part: Mapping[str, Any], _: int) -> str:
    name = next((name for name in _VALUES if name in part), None)
    value = part[name] if name else {key: value for key, value in part.items() if key != "type"}
    return value if isinstance(value, str) else _json(value)


def _inside(part: Mapping[str, Any], depth: int) -> str:
    return as_text(part.get("content", part.get("value")), depth + 1)


def _headed(heading: str, *texts: Any) -> str:
    return "\n".join((f"[{heading}]", *(text for text in texts if isinstance(text, str) and text)))


_TELLERS: dict[str, Callable[[Mapping[str, Any], int], str]] = {
    "document": _document,
    "search_result": _search_result,
    "web_search_result": _search_result,
    "web_fetch_result": _inside,
    "resource": _resource,
    "resource_link": _resource_link,
    "tool_reference": _tool_reference,
    "json": _value,
    "content": _inside,
}


def _flat(value: Any, depth: int = 0) -> list[Any]:
    """The parts of a result: lists in lists are one list, what is no list is one part."""
    if not isinstance(value, list):
        return [] if value is None else [value]
    deeper = depth < _DEEPEST
    return [
        part for item in value for part in (_flat(item, depth + 1) if deeper and isinstance(item, list) else [item])
    ]


def _json(value: Any) -> str:
    return json.dumps(_readable(value), ensure_ascii=False)


def _readable(value: Any, name: str = "") -> Any:
    """`value` without what is long and means nothing to a reader: files and what a vendor has encrypted."""
    if isinstance(value, Mapping):
        return {key: _readable(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_readable(item, name) for item in value]
    if name in _OPAQUE and isinstance(value, str) and len(value) > _LONGEST_OPAQUE:
        return f"[{len(value)} characters left out]"
    return value
