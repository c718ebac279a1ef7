"""What LiteLLM computes for each response and nobody reads, left out.

Savings: for each sum by day it looks up the prices of the model anew, to see what a prompt cache, compression or the
choice of a cheaper model have saved. StackSpot has none of them, so that for its responses it is nothing.

Use of a deployment: it makes the deployment's description three times, to count what limits of a deployment and
cooldowns go by. Where there are neither, its result is thrown away.
"""

from __future__ import annotations

from typing import Any

from custom_handlers.core.models import PROVIDER

_OURS = "stackspot_leaves_out"
_SAVED = (
    "compression_saved_tokens",
    "routing_decision",
    "recorded_autorouter_savings",
    "recorded_autorouter_savings_estimate",
)
# LiteLLM's names of a deployment's limits: of requests and tokens a minute.
LIMITS = ("rpm", "tpm", "itpm", "otpm")


def leave_out() -> None:
    """From now on. Safe to call again, and without a database's client; to be called before there is a router."""
    from litellm.router import Router

    _spare_counts(Router)
    try:
        from litellm.proxy.db import db_spend_update_writer as writing
    except ImportError:
        return
    _spare_savings(writing)


def _spare_savings(writing: Any) -> None:
    own = writing.compute_savings_spend
    if hasattr(own, _OURS):
        return
    from litellm.proxy.spend_tracking.savings import SavingsSpend

    nothing = SavingsSpend(0.0, 0.0)

    def compute_savings_spend(*given: Any, **named: Any) -> Any:
        ours = named.get("custom_llm_provider") == PROVIDER
        return nothing if ours and not any(named.get(name) for name in _SAVED) else own(*given, **named)

    setattr(compute_savings_spend, _OURS, True)
    writing.compute_savings_spend = compute_savings_spend


def _spare_counts(router: Any) -> None:
    own, increment = router.deployment_callback_on_success, router._increment_deployment_usage
    if hasattr(own, _OURS):
        return

    async def deployment_callback_on_success(self: Any, kwargs: Any, *given: Any, **named: Any) -> Any:
        info = (kwargs.get("litellm_params") or {}).get("model_info") or {}
        if self.disable_cooldowns and not _counts(self, info.get("id")):
            return None
        return await own(self, kwargs, *given, **named)

    async def _increment_deployment_usage(self: Any, *, deployment_id: str, **named: Any) -> Any:
        return await increment(self, deployment_id=deployment_id, **named) if _counts(self, deployment_id) else None

    setattr(deployment_callback_on_success, _OURS, True)
    router.deployment_callback_on_success = deployment_callback_on_success
    router._increment_deployment_usage = _increment_deployment_usage


def _counts(router: Any, deployment_id: Any) -> bool:
    """Whether the use of a deployment is to be counted, by its entry in `model_list`: ours is not without a limit.

    Of models of others LiteLLM knows limits by itself.
    """
    for entry in router.model_list:
        parameters, info = (entry.get(name) or {} for name in ("litellm_params", "model_info"))
        if info.get("id") == deployment_id and str(parameters.get("model")).startswith(f"{PROVIDER}/"):
            return any(place.get(name) is not None for place in (entry, parameters, info) for name in LIMITS)
    return True
