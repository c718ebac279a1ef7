"""What LiteLLM computes for each response and nobody reads, left out.

Savings: for each sum by day it looks up the prices of the model anew, to see what a prompt cache, compression or the
choice of a cheaper model have saved. StackSpot has none of them, so that for its responses it is nothing.

Use of a deployment: it makes the deployment's description three times, to count what limits of a deployment and
cooldowns go by. Where there are neither, its result is thrown away.

Choice of a cheaper model: it reads the request log's entry again, to see whether one was chosen.

Another API: it looks up the model, to see whether its provider would rather be asked as the Responses API. StackSpot
has none.
"""

from __future__ import annotations

from typing import Any

from custom_handlers.core.models import PROVIDER
from custom_handlers.litellm_adapter.replacing import replace

_SAVED = (
    "compression_saved_tokens",
    "routing_decision",
    "recorded_autorouter_savings",
    "recorded_autorouter_savings_estimate",
)
_CHOICE = '"routing_decision": {'  # as json writes it
# LiteLLM's names of a deployment's limits: of requests and tokens a minute.
LIMITS = ("rpm", "tpm", "itpm", "otpm")


def leave_out() -> None:
    """From now on. Safe to call again, and without a database's client; to be called before there is a router."""
    from litellm import main
    from litellm.router import Router

    replace(Router, "deployment_callback_on_success", _deployment_callback_on_success)
    replace(Router, "_increment_deployment_usage", _increment_deployment_usage)
    replace(main, "responses_api_bridge_check", _responses_api_bridge_check)
    try:
        from litellm.proxy.db import db_spend_update_writer
    except ImportError:
        return
    replace(db_spend_update_writer, "compute_savings_spend", _compute_savings_spend)
    writer = db_spend_update_writer.DBSpendUpdateWriter
    replace(writer, "_enqueue_autorouter_turn_transaction", _enqueue_autorouter_turn_transaction)


def _compute_savings_spend(own: Any) -> Any:
    from litellm.proxy.spend_tracking.savings import SavingsSpend

    nothing = SavingsSpend(0.0, 0.0)

    def compute_savings_spend(*given: Any, **named: Any) -> Any:
        ours = named.get("custom_llm_provider") == PROVIDER
        return nothing if ours and not any(named.get(name) for name in _SAVED) else own(*given, **named)

    return compute_savings_spend


def _enqueue_autorouter_turn_transaction(own: Any) -> Any:
    async def enqueue_autorouter_turn_transaction(self: Any, payload: Any, *given: Any, **named: Any) -> Any:
        metadata = payload.get("metadata")
        chosen = not isinstance(metadata, str) or _CHOICE in metadata
        return await own(self, payload, *given, **named) if chosen else None

    return enqueue_autorouter_turn_transaction


def _responses_api_bridge_check(own: Any) -> Any:
    """LiteLLM's answer is what it knows of the model, of which `mode` alone is read, and the model to ask."""

    def responses_api_bridge_check(*given: Any, **named: Any) -> Any:
        model = named.get("model")
        for_chat = isinstance(model, str) and not model.startswith("responses/")
        return ({}, model) if for_chat and named.get("custom_llm_provider") == PROVIDER else own(*given, **named)

    return responses_api_bridge_check


def _deployment_callback_on_success(own: Any) -> Any:
    async def deployment_callback_on_success(self: Any, kwargs: Any, *given: Any, **named: Any) -> Any:
        info = (kwargs.get("litellm_params") or {}).get("model_info") or {}
        if self.disable_cooldowns and not _counts(self, info.get("id")):
            return None
        return await own(self, kwargs, *given, **named)

    return deployment_callback_on_success


def _increment_deployment_usage(own: Any) -> Any:
    async def increment_deployment_usage(self: Any, *, deployment_id: str, **named: Any) -> Any:
        return await own(self, deployment_id=deployment_id, **named) if _counts(self, deployment_id) else None

    return increment_deployment_usage


def _counts(router: Any, deployment_id: Any) -> bool:
    """Whether the use of a deployment is to be counted, by its entry in `model_list`: ours is not without a limit.

    Of models of others LiteLLM knows limits by itself.
    """
    for entry in router.model_list:
        parameters, info = (entry.get(name) or {} for name in ("litellm_params", "model_info"))
        if info.get("id") == deployment_id and str(parameters.get("model")).startswith(f"{PROVIDER}/"):
            return any(place.get(name) is not None for place in (entry, parameters, info) for name in LIMITS)
    return True
