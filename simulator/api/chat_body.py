"""The body of a chat request, checked as far as the service's rules are known (section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulator.api.errors import RefusedError, malformed

_FLAGS = ("streaming", "stackspot_knowledge", "return_ks_in_response", "use_conversation", "deep_search_ks")
_LISTS = ("upload_ids", "knowledge_source_ids", "knowledge_sources")
_OTHERS = ("user_prompt", "conversation_id", "agent_version_number", "selected_model", "show_chat_processing_state")
KNOWN_FIELDS = frozenset((*_FLAGS, *_LISTS, *_OTHERS))


@dataclass(frozen=True, slots=True)
class ChatBody:
    """What an agent is asked. Defaults are the service's, as far as known (DOC-AG)."""

    user_prompt: str
    streaming: bool
    stackspot_knowledge: bool
    return_ks_in_response: bool
    use_conversation: bool
    conversation_id: str | None
    upload_ids: list[str]
    knowledge_source_ids: list[str]
    unknown: list[str]


def read_chat_body(body: Any) -> ChatBody:
    """A `ChatBody` from decoded JSON, or `RefusedError` with 422.

    Flags may be the strings "true" and "false" (STKAI sends `stackspot_knowledge` so).
    """
    if not isinstance(body, dict):
        raise RefusedError(malformed("body", "Input should be a valid JSON object"))
    prompt = body.get("user_prompt")
    if not isinstance(prompt, str) or not prompt:
        raise RefusedError(malformed("user_prompt", "Input should be a non-empty string"))
    flags = {name: _flag(name, body.get(name)) for name in _FLAGS}
    lists = {name: _strings(name, body.get(name)) for name in _LISTS}
    conversation = body.get("conversation_id")
    if not isinstance(conversation, str | None):
        raise RefusedError(malformed("conversation_id", "Input should be a string or null"))
    return ChatBody(
        user_prompt=prompt,
        streaming=flags["streaming"],
        stackspot_knowledge=flags["stackspot_knowledge"],
        return_ks_in_response=flags["return_ks_in_response"],
        use_conversation=flags["use_conversation"],
        conversation_id=conversation,
        upload_ids=lists["upload_ids"],
        knowledge_source_ids=lists["knowledge_source_ids"] + lists["knowledge_sources"],
        unknown=sorted(body.keys() - KNOWN_FIELDS),
    )


def _flag(name: str, value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    if value in ("true", "false"):
        return bool(value == "true")
    raise RefusedError(malformed(name, "Input should be a valid boolean"))


def _strings(name: str, value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    raise RefusedError(malformed(name, "Input should be a valid list of strings"))
