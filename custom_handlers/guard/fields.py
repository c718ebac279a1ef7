"""What may pass of a body, surface by surface: OpenAI's and Anthropic's own fields, and a few of LiteLLM's.

LiteLLM gives a meaning to several hundred fields, and later versions to more. Whatever is not listed here it does not
see: dropped in silence, since clients send extras of other vendors, or refused where its sender would be misled.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from custom_handlers.config.request_limits import RequestLimits
from custom_handlers.guard.rejection import RejectedError

# With one of these a request would choose where it goes, with whose key, or have its answer made up.
REFUSED = (
    "api_base",
    "azure",
    "base_url",
    "custom_llm_provider",
    "deployment_id",
    "mock_response",
    "mock_tool_calls",
    "model_list",
    "use_litellm_proxy",
    "user_config",
)
FALLBACKS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")
# Where LiteLLM puts what a key or a team has of router settings, and what it would take from a body as well.
_OVERRIDE = "router_settings_override"
_TIMES = ("timeout", "stream_timeout")
_OF_LITELLM = frozenset(("metadata", "user", "tags", *_TIMES, *FALLBACKS))
_SAMPLING = frozenset(("temperature", "top_p", "seed", "frequency_penalty", "presence_penalty", "logit_bias"))
_OPENAI = frozenset(("model", "stream", "stream_options", "service_tier", "store", "safety_identifier", "user"))
_CACHE = frozenset(("prompt_cache_key", "prompt_cache_retention"))
_CHAT = frozenset(
    (
        *("messages", "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "response_format"),
        *("max_tokens", "max_completion_tokens", "n", "stop", "logprobs", "top_logprobs", "modalities", "audio"),
        *("prediction", "reasoning_effort", "verbosity", "web_search_options", "thinking"),
    )
)
_COMPLETIONS = frozenset(("prompt", "suffix", "max_tokens", "n", "best_of", "stop", "logprobs", "echo"))
_RESPONSES = frozenset(
    (
        *("input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "max_tool_calls"),
        *("max_output_tokens", "reasoning", "text", "include", "truncation", "top_logprobs", "context_management"),
        *("background", "conversation", "previous_response_id", "prompt"),
    )
)
_MESSAGES = frozenset(
    (
        *("model", "messages", "system", "max_tokens", "stream", "stop_sequences", "temperature", "top_p", "top_k"),
        *("tools", "tool_choice", "thinking", "output_config", "output_format", "service_tier", "context_management"),
        *("cache_control", "reasoning_effort"),
    )
)
ALLOWED: dict[str, frozenset[str]] = {
    "chat": _OPENAI | _OF_LITELLM | _SAMPLING | _CACHE | _CHAT,
    "completions": _OPENAI | _OF_LITELLM | _SAMPLING | _COMPLETIONS,
    "messages": _OF_LITELLM | _MESSAGES,
    "responses": _OPENAI | _OF_LITELLM | _CACHE | _RESPONSES | {"temperature", "top_p"},
    "count_tokens": _MESSAGES,
}
# The list of a surface that holds the conversation.
_TURNS = {"chat": "messages", "messages": "messages", "count_tokens": "messages", "responses": "input"}
_MOST_SECONDS = 6000.0  # LiteLLM's own default
# In `metadata` a client says what it likes, but not what LiteLLM puts or looks for there.
_NOT_IN_METADATA = ("user_api_key", "litellm_", "model_", "headers", "endpoint", "agent_id", "guardrail", "policy")


def sift(surface: str, body: dict[str, Any], limits: RequestLimits) -> None:
    """Leaves in `body` only what may pass on `surface`. Raises RejectedError."""
    for name in REFUSED:
        if name in body:
            raise RejectedError(400, f"`{name}` is not accepted: the gateway's configuration decides that.", name)
    override = body.get(_OVERRIDE) or {}
    if not isinstance(override, dict) or any(name in override for name in FALLBACKS):
        raise RejectedError(400, f"`{_OVERRIDE}` is not accepted: the gateway's configuration decides that.", _OVERRIDE)
    if surface == "completions":
        _one_prompt(body)
    for name in body.keys() - ALLOWED[surface]:
        del body[name]
    for name, check in _CHECKS.items():
        if body.get(name) is not None:
            check(name, body)
    check_number_of_turns(surface, body, limits)
    for name in ("tools", "functions"):
        _count(body.get(name), limits.max_tools, name, "max_tools")


def check_number_of_turns(surface: str, body: dict[str, Any], limits: RequestLimits) -> None:
    """Raises RejectedError for a conversation with too many messages or items."""
    name = _TURNS.get(surface, "")
    _count(body.get(name), limits.max_messages, name, "max_messages")


def _one_prompt(body: dict[str, Any]) -> None:
    prompt: Any = body.get("prompt")
    if prompt is None and "messages" in body:
        raise RejectedError(
            400, "`messages` are for /v1/chat/completions; /v1/completions takes a `prompt`.", "messages"
        )
    if not isinstance(prompt, str) and not (_are_texts(prompt) and len(prompt) == 1):
        raise RejectedError(400, "`prompt` must be one text: several of them, or tokens, are not supported.", "prompt")


def _count(value: Any, most: int, name: str, limit: str) -> None:
    if isinstance(value, list) and len(value) > most:
        raise RejectedError(
            400,
            f"`{name}` holds {len(value)} entries; this gateway takes at most {most} (STACKSPOT_{limit.upper()}).",
            name,
        )


def _model(name: str, body: dict[str, Any]) -> None:
    if not isinstance(body[name], str):
        raise RejectedError(400, "`model` must be the name of a model.", name)
    if "," in body[name]:  # LiteLLM would ask each, as one request of the caller's rate limit
        raise RejectedError(400, "`model` must be one name.", name)


def _stream(name: str, body: dict[str, Any]) -> None:
    if not isinstance(body[name], bool):
        raise RejectedError(400, "`stream` must be true or false.", name)


def seconds(value: Any) -> float | None:
    """`value` as a time limit, or None when it is none."""
    try:
        number = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 < number <= _MOST_SECONDS else None


def _time(name: str, body: dict[str, Any]) -> None:
    if seconds(body[name]) is None:
        raise RejectedError(400, f"`{name}` must be a number of seconds, at most {_MOST_SECONDS:.0f}.", name)


def _metadata(name: str, body: dict[str, Any]) -> None:
    if not isinstance(body[name], dict):
        raise RejectedError(400, "`metadata` must be an object.", name)
    kept = {key: value for key, value in body[name].items() if _may_be_told(key, value)}
    body[name] = kept


def _may_be_told(key: str, value: Any) -> bool:
    if key == "tags":
        return isinstance(value, list) and all(isinstance(tag, str) for tag in value)
    return isinstance(value, str | int | float) and not key.startswith(_NOT_IN_METADATA)


def _tags(name: str, body: dict[str, Any]) -> None:
    if not isinstance(body[name], list) or not all(isinstance(tag, str) for tag in body[name]):
        raise RejectedError(400, "`tags` must be a list of texts.", name)


def _user(name: str, body: dict[str, Any]) -> None:
    if not isinstance(body[name], str):
        raise RejectedError(400, "`user` must be a text.", name)


def _fallbacks(name: str, body: dict[str, Any]) -> None:
    """Models, or models by model (`[{"a": ["b"]}]`); the rest LiteLLM would take as arguments of a call."""
    entries = body[name]
    if not isinstance(entries, list) or not all(
        isinstance(entry, str) or (isinstance(entry, dict) and all(map(_are_texts, entry.values())))
        for entry in entries
    ):
        raise RejectedError(400, f"`{name}` must hold names of models only.", name)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


_CHECKS: dict[str, Callable[[str, dict[str, Any]], None]] = {
    "model": _model,
    "stream": _stream,
    "metadata": _metadata,
    "tags": _tags,
    "user": _user,
    **dict.fromkeys(_TIMES, _time),
    **dict.fromkeys(FALLBACKS, _fallbacks),
}
