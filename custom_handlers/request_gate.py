"""Refuses what would take a request past the handler, multiply it, or break LiteLLM before it gets there.

LiteLLM loads it by its path, as a callback (`litellm_settings.callbacks`), so it imports nothing of this package.
"""

from typing import Any

from litellm.exceptions import BadRequestError
from litellm.integrations.custom_logger import CustomLogger

# With one of these in its body a request chooses another provider than its model's (seen on 1.108.11).
REFUSED_FIELDS = ("custom_llm_provider", "deployment_id", "azure")
FALLBACK_FIELDS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")


class RequestGate(CustomLogger):
    """One hook: LiteLLM calls it for every request, on every route, before anything is chosen."""

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> dict[str, Any]:
        """`data` without a wish for retries. Raises BadRequestError, which the proxy tells on the first byte."""
        for name in REFUSED_FIELDS:
            if name in data:
                raise _refusal(data, name, "is not accepted: the gateway's configuration chooses the provider.")
        for name in FALLBACK_FIELDS:
            if not _names_only(data.get(name) or []):
                raise _refusal(data, name, "must hold names of models only.")
        data.pop("num_retries", None)  # LiteLLM would repeat the handler's own tries as often as the caller likes
        messages = data.get("messages", [])
        if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
            raise _refusal(data, "messages", "must be a list of objects.")
        return data


def _names_only(fallbacks: Any) -> bool:
    """Whether `fallbacks` are models, or models by model (`[{"a": ["b"]}]`); the rest LiteLLM takes as arguments."""
    return isinstance(fallbacks, list) and all(
        isinstance(entry, str) or (isinstance(entry, dict) and all(map(_are_names, entry.values())))
        for entry in fallbacks
    )


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _refusal(data: dict[str, Any], name: str, what: str) -> BadRequestError:
    error = BadRequestError(message=f"`{name}` {what}", model=str(data.get("model")), llm_provider="stackspot_ai")
    error.param = name
    return error


request_gate = RequestGate()
