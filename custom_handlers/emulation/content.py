"""The text of a message's content, whatever parts it is made of.

What a user sends and this model cannot read is refused: the user can leave it out. A tool's result is never refused: it
stays in the conversation, and every later turn would fail as well.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from custom_handlers.core.errors import BadRequestError
from custom_handlers.emulation.role_headers import shown_name

# A note for each file part that was uploaded, under its (message, part) indexes.
Attachments = Mapping[tuple[int, int], str]

RESULTS = ("tool", "function")
_TEXT_PARTS = ("text", "input_text", "output_text", "refusal")
_DROPPED_PARTS = ("thinking", "redacted_thinking", "reasoning")
_FILE_PARTS = ("image_url", "image", "input_image", "input_audio", "audio", "file", "input_file", "document")
_NESTED_MOST = 3
_BASE64 = re.compile(r";base64,[A-Za-z0-9+/=_-]+")


def content_text(message: Mapping[str, Any], index: int, attachments: Attachments) -> str:
    """The text of `messages[index]`. Raises BadRequestError for parts that are none, but not in a tool's result."""
    content = message.get("content")
    result = message.get("role") in RESULTS
    if isinstance(content, str):
        text = content
    elif content is None:
        text = ""
    elif isinstance(content, list | tuple):
        texts = []
        for number, part in enumerate(content):
            uploaded = attachments.get((index, number)) if attachments else None
            if uploaded is None:
                shown = _result_part(part) if result else _part(part, f"messages[{index}].content[{number}]")
            else:
                shown = uploaded
            if shown is not None:
                texts.append(shown)
        text = "\n".join(texts)
    elif result:
        text = _as_json(content)
    else:
        where = f"messages[{index}].content"
        raise BadRequestError(f"`{where}` must be text or a list of parts.", param=where)
    if isinstance(refusal := message.get("refusal"), str) and refusal:
        return f"{text}\n{refusal}" if text else refusal
    return text


def file_parts(
    messages: Sequence[Mapping[str, Any]], *, results: bool = True
) -> list[tuple[int, int, Mapping[str, Any]]]:
    """The parts that hold images, sound or files, with their (message, part) indexes for `attachments`.

    `results` says whether those of tool results are wanted, of which only what is sent along can be uploaded.
    """
    return [
        (i, j, part)
        for i, message in enumerate(messages if isinstance(messages, list | tuple) else ())
        if isinstance(message, Mapping) and isinstance(content := message.get("content"), list | tuple)
        for j, part in enumerate(content)
        if isinstance(part, Mapping)
        and part.get("type") in _FILE_PARTS
        and _readable(part) is None
        and (message.get("role") not in RESULTS or (results and _is_sent_along(part)))
    ]


def _part(part: Any, where: str) -> str | None:
    if isinstance(part, str):
        return part
    kind = part.get("type") if isinstance(part, Mapping) else None
    if kind in _DROPPED_PARTS:
        return None
    if kind in _TEXT_PARTS and isinstance(text := part.get("refusal" if kind == "refusal" else "text"), str):
        return text
    if kind in ("document", "search_result") and (readable := _readable(part)) is not None:
        return readable
    if kind in _FILE_PARTS:
        raise BadRequestError(f"`{where}` is of type `{kind}`, but this model reads text only.", param=where)
    raise BadRequestError(f"`{where}` is no content part that this model knows.", param=where)


def _result_part(part: Any, depth: int = 0) -> str | None:
    """A part of a tool's result: its text, a note, or whatever it is as JSON."""
    if isinstance(part, str) or part is None:
        return part
    if not isinstance(part, Mapping):
        return _as_json(part)
    kind = part.get("type")
    if kind in _DROPPED_PARTS:
        return None
    if (readable := _readable(part, depth)) is not None:
        return readable
    if kind in _FILE_PARTS:
        return f"[{kind} left out: this model reads text only]"
    return _as_json(part)


def _readable(part: Mapping[str, Any], depth: int = 0) -> str | None:
    """The text within `part` by the forms of OpenAI, Anthropic, MCP and the AI SDK; None if there is none."""
    kind, text = part.get("type"), part.get("text")
    source = part.get("source")
    match kind:
        case "refusal" if isinstance(part.get("refusal"), str):
            return str(part["refusal"])
        case "json":
            return next((_as_json(part[key]) for key in ("json", "value", "data") if key in part), None)
        case "tool_reference" if isinstance(name := part.get("tool_name") or part.get("name"), str):
            return f"[The tool {shown_name(name)} can be called from now on.]"
        case "resource" if isinstance(resource := part.get("resource"), Mapping):
            return _resource(resource)
        case "search_result":
            return _titled(part, "title", "source", body=_nested(part.get("content"), depth))
        case "document" if isinstance(source, str):
            return None
        case "document" if isinstance(source, Mapping) and source.get("type") == "content":
            return _titled(part, "title", "context", body=_nested(source.get("content"), depth))
        case "document" if isinstance(source, Mapping) and source.get("type") == "text":
            data = source.get("data")
            return _titled(part, "title", "context", body=data) if isinstance(data, str) else None
    return text if isinstance(text, str) else None


def _resource(resource: Mapping[str, Any]) -> str:
    if isinstance(text := resource.get("text"), str):
        return _titled(resource, "uri", body=text)
    about = {key: resource[key] for key in ("uri", "name", "mimeType") if key in resource}
    return f"[resource {_as_json(about)} left out: this model reads text only]"


def _titled(part: Mapping[str, Any], *keys: str, body: str) -> str:
    return "\n".join([*(value for key in keys if isinstance(value := part.get(key), str) and value), body])


def _nested(content: Any, depth: int) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list | tuple) or depth >= _NESTED_MOST:
        return _as_json(content)
    return "\n".join(text for part in content if (text := _result_part(part, depth + 1)) is not None)


def _is_sent_along(part: Mapping[str, Any]) -> bool:
    source: Any = part.get("image_url") or part.get("file")
    address = (source.get("url") or source.get("file_data")) if isinstance(source, Mapping) else source
    return isinstance(address, str) and address[:5].lower() == "data:"


def _as_json(value: Any) -> str:
    """`value` as JSON, without the files that stand in it."""
    try:
        return _BASE64.sub(";base64,…", json.dumps(value, ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):
        return "[left out: it is not JSON]"
