"""What somebody says in a message, as parts of OpenAI's chat format: those that LiteLLM passes on to the handler.

Other than in a tool result (content.py), a part that cannot be shown to the model is refused here: the model would
answer something else than what was asked.
"""

from collections.abc import Mapping
from typing import Any

from custom_handlers.guard.content import Part, as_text, document
from custom_handlers.guard.shapes import refused

TEXT_TYPES = ("text", "input_text", "output_text", "summary_text", "guarded_text")
THOUGHT_TYPES = ("thinking", "redacted_thinking", "reasoning", "reasoning_text")
# Understood by LiteLLM as they are; the handler uploads or refuses them.
_FILE_TYPES = ("image_url", "input_audio", "audio_url", "video_url", "file", "audio")
_TOLD_TYPES = ("search_result", "resource", "resource_link", "tool_reference")


def spoken(content: Any, where: str) -> str | list[Part] | None:
    """`content` of a message that is no tool result. Raises RejectedError for a part that is none."""
    if content is None or isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise refused(where, "must be text or a list of parts.")
    said = (part for part in enumerate(content) if not _is_thought(part[1]))
    return [_part(part, f"{where}[{index}]") for index, part in said]


def _is_thought(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(kind := part.get("type"), str) and kind in THOUGHT_TYPES


def text_in(part: Mapping[str, Any], where: str) -> str:
    """The text of a text part."""
    text = part.get("text")
    if not isinstance(text, str | None):
        raise refused(f"{where}.text", "must be a string.")
    return text or ""


def unknown(part: Any, where: str) -> Exception:
    """The RejectedError of `part`."""
    kind = part.get("type") if isinstance(part, Mapping) else None
    if not isinstance(part, Mapping):
        return refused(where, "must be an object or a string.")
    if not isinstance(kind, str):
        return refused(f"{where}.type", "must say of which type the part is.")
    return refused(where, f"is of type `{kind[:100]}`, which has no place here.")


def _part(part: Any, where: str) -> Part:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if not isinstance(part, dict):
        raise unknown(part, where)
    kind = part.get("type")
    if kind in TEXT_TYPES or (kind is None and isinstance(part.get("text"), str)):
        return {**part, "type": "text", "text": text_in(part, where)}
    if kind == "refusal" and isinstance(part.get("refusal"), str):
        return {"type": "text", "text": part["refusal"]}
    if kind in _FILE_TYPES:
        return part
    if kind in ("input_image", "image"):
        return {"type": "image_url", "image_url": _image(part, where)}
    if kind == "input_file":
        names = ("file_data", "file_id", "filename", "file_url")
        return {"type": "file", "file": {name: part[name] for name in names if part.get(name) is not None}}
    if kind == "document" and (text := document(part)) is not None:
        return {"type": "text", "text": text}
    if kind == "document":
        return {"type": "image_url", "image_url": _image(part, where)}
    if kind in _TOLD_TYPES:
        return {"type": "text", "text": as_text(part)}
    raise unknown(part, where)


def _image(part: Mapping[str, Any], where: str) -> Part:
    """`image_url` of a chat part for an image in OpenAI's newer form, in Anthropic's or in MCP's."""
    url = part.get("image_url")
    if isinstance(url, dict):
        return url
    if isinstance(url, str):
        return {"url": url}
    source = part.get("source")
    if isinstance(source, Mapping) and isinstance(source.get("url"), str):
        return {"url": source["url"]}
    for holder, kind in ((source, "media_type"), (part, "mimeType")):
        if isinstance(holder, Mapping) and isinstance(holder.get("data"), str):
            return {"url": f"data:{holder.get(kind)};base64,{holder['data']}"}
    raise refused(where, "holds no image that can be read here: send a data URL or an address, not the id of a file.")
