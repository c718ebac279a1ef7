"""Puts the guard around the app of the LiteLLM proxy that runs in this process."""

from __future__ import annotations

import sys
from typing import Any

from custom_handlers.guard.asgi import Guard

PROXY = "litellm.proxy.proxy_server"


class NotInstalled(RuntimeError):
    """The proxy runs, but its requests could not be put behind the guard."""


def install_in_proxy() -> None:
    """Does nothing outside the proxy. Raises NotInstalled when the proxy's app is not what it was: LiteLLM then does
    not start, because without the guard everything would be open."""
    app = getattr(sys.modules.get(PROXY), "app", None)
    if app is None:
        return
    install(app)


def install(app: Any) -> None:
    """Safe to call again.

    LiteLLM reads its configuration, and so loads callbacks, while the app starts: its middlewares are fixed by then
    (`add_middleware` raises), and the only thing left that every request passes is the built stack itself.
    """
    stack = getattr(app, "middleware_stack", None)
    if not callable(stack):
        raise NotInstalled(
            "The request guard could not be put in front of LiteLLM, so the gateway does not start: this version of "
            "LiteLLM starts its app in another way than 1.108 did."
        )
    if not isinstance(stack, Guard):
        app.middleware_stack = Guard(stack)
