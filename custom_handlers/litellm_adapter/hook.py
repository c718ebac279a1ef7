"""LiteLLM's own hook: refuses what would take a request past the handler, or multiply it.

The ASGI guard has sifted a request before. This stands behind it, where LiteLLM has merged what path, headers, key and
team add to the body.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from litellm.exceptions import BadRequestError
from litellm.integrations.custom_logger import CustomLogger

from custom_handlers.core import notes
from custom_handlers.core.models import PROVIDER
from custom_handlers.litellm_adapter import failed_calls
from custom_handlers.pacing.quota import WEIGHT_FIELD

# With one of these in its body a request chooses another provider than its model's (seen on 1.108.11).
REFUSED_FIELDS = ("custom_llm_provider", "deployment_id", "azure")
FALLBACK_FIELDS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")
# LiteLLM would repeat the handler's own tries as often as the caller likes.
RETRY_FIELDS = ("num_retries", "retry_policy", "model_group_retry_policy")
# Where LiteLLM puts what a key or a team has of router settings, and what it takes from a request's body as well.
OVERRIDE = "router_settings_override"


class RequestGuard(CustomLogger):
    """LiteLLM calls it for every request, on every route, before anything is chosen, and for every failure."""

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> dict[str, Any]:
        """`data` without settings for retries. Raises BadRequestError: the proxy answers it before the first byte."""
        if noted := notes.current():
            noted.caller = caller_of(user_api_key_dict)
            if (span := user_api_key_dict.parent_otel_span) is not None:
                from custom_handlers.litellm_adapter.traces import Trace  # traces are on

                noted.trace = Trace(span)
        for name in REFUSED_FIELDS:
            if name in data:
                raise _refusal(data, name, "is not accepted: the gateway's configuration chooses the provider.")
        for fields in (data, data.get(OVERRIDE) or {}):
            if not isinstance(fields, dict):
                raise _refusal(data, OVERRIDE, "must be an object.")
            for name in FALLBACK_FIELDS:
                if not _names_only(fields.get(name) or []) or any(map(_is_deployment, _named(fields.get(name) or []))):
                    raise _refusal(data, name, "must hold names of models only.")
            for name in RETRY_FIELDS:
                fields.pop(name, None)
        if "," in str(data.get("model")):  # LiteLLM would ask each, as one request of the caller's rate limit
            raise _refusal(data, "model", "must be one name.")
        if _is_deployment(data.get("model")):
            raise _refusal(data, "model", "must be the name of a model, and no deployment's id.")
        if call_type.endswith("text_completion") and not _one_text(data.get("prompt")):
            raise _refusal(data, "prompt", "must be one text: several of them, or tokens, are not supported.")
        messages = data.get("messages", [])
        if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
            raise _refusal(data, "messages", "must be a list of objects.")
        return data

    async def async_post_call_failure_hook(
        self,
        request_data: dict[str, Any],
        original_exception: Exception,
        user_api_key_dict: Any,
        traceback_str: str | None = None,
    ) -> None:
        """Books what the call has cost, and gives an error its `detail`: once a keep-alive has gone out, LiteLLM sends
        nothing else of it.
        """
        if noted := notes.current():
            noted.failed = True
            noted.caller = noted.caller or caller_of(user_api_key_dict)  # without one: refused before the hook above
        await failed_calls.book(request_data, user_api_key_dict)
        message = getattr(original_exception, "message", None)
        if isinstance(message, str) and not hasattr(original_exception, "detail"):
            original_exception.detail = message  # type: ignore[attr-defined]


def caller_of(key: Any) -> notes.Caller:
    """Who asks, of what LiteLLM has authenticated: nothing of the request can change it."""
    for metadata in (key.metadata, key.team_metadata):
        weight = (metadata or {}).get(WEIGHT_FIELD)
        if isinstance(weight, int | float) and 0 < weight < float("inf"):
            break
    else:
        weight = 1.0
    return notes.Caller(str(key.api_key or key.user_id or notes.UNNAMED), float(weight), str(key.key_alias or ""))


def _names_only(fallbacks: Any) -> bool:
    """Whether `fallbacks` are models, or models by model (`[{"a": ["b"]}]`); the rest LiteLLM takes as arguments."""
    return isinstance(fallbacks, list) and all(
        isinstance(entry, str) or (isinstance(entry, dict) and all(map(_are_texts, entry.values())))
        for entry in fallbacks
    )


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _named(fallbacks: list[Any]) -> Iterator[str]:
    for entry in fallbacks:
        yield from [entry] if isinstance(entry, str) else chain.from_iterable(entry.values())


def _is_deployment(name: Any) -> bool:
    """Whether LiteLLM would take `name` for one deployment of a model: by it a request would choose its account."""
    from litellm.proxy import proxy_server  # there inside the proxy only

    router = proxy_server.llm_router
    if router is None or not isinstance(name, str) or name in router.model_names:
        return False
    return router.has_model_id(name) and name not in (router.model_group_alias or {})


def _one_text(prompt: Any) -> bool:
    """Whether `prompt` is a text, alone or in a list: of several LiteLLM would make one conversation."""
    return isinstance(prompt, str) or (_are_texts(prompt) and len(prompt) == 1)


def _refusal(data: dict[str, Any], name: str, what: str) -> BadRequestError:
    error = BadRequestError(message=f"`{name}` {what}", model=str(data.get("model")), llm_provider=PROVIDER)
    error.param, error.type = name, "invalid_request_error"
    return error
