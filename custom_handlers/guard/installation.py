"""Puts the guard around the app of the LiteLLM proxy that runs in this process."""

from __future__ import annotations

from typing import Any

from custom_handlers.config.request_limits import RequestLimits
from custom_handlers.config.settings import Settings
from custom_handlers.guard.asgi import Guard
from custom_handlers.guard.stored import Memory
from custom_handlers.litellm_adapter import process, redis_client
from custom_handlers.stored_responses.local import LocalStore
from custom_handlers.stored_responses.responses import StoredResponses
from custom_handlers.stored_responses.sealing import Seal
from custom_handlers.stored_responses.shared import CALL_SECONDS, RedisStore
from custom_handlers.stored_responses.store import Store


class NotInstalledError(RuntimeError):
    """The proxy runs, but its requests could not be put behind the guard."""


def install_in_proxy(limits: RequestLimits, memory: Memory | None = None, **options: Any) -> None:
    """Raises NotInstalledError: the proxy may not start then, as without the guard everything would be open."""
    install(process.app(), limits, memory, **options)


def memory_of(settings: Settings) -> Memory | None:
    """Where answers are kept: in Redis where LiteLLM has one, for all workers and replicas; None where none are."""
    if not settings.responses_minutes:
        return None
    seconds = settings.responses_minutes * 60
    store: Store = LocalStore(seconds)
    if redis_client.is_configured():
        seal = Seal(settings.client_secret or settings.api_key)
        store = RedisStore(seconds, lambda: redis_client.connect(CALL_SECONDS), seal)
    return Memory(StoredResponses(store), settings.responses_minutes, settings.limits)


def install(app: Any, limits: RequestLimits, memory: Memory | None = None, **options: Any) -> None:
    """Safe to call again: the guard stays, with the new settings. `options` are the guard's.

    LiteLLM reads its configuration, and so loads callbacks, while the app starts: its middlewares are fixed by then
    (`add_middleware` raises), and the only thing left that every request passes is the built stack itself.
    """
    stack = getattr(app, "middleware_stack", None)
    if not callable(stack):
        raise NotInstalledError(
            "The request guard could not be put in front of LiteLLM, so the gateway does not start: this version of "
            "LiteLLM starts its app in another way than 1.108 did."
        )
    inner = stack.app if isinstance(stack, Guard) else stack
    app.middleware_stack = Guard(inner, limits, memory, **options)
