"""Tells everyone in the admin UI what a unit of spend is, as LiteLLM writes it as dollars.

LiteLLM keeps its one banner in the database; no line of litellm_config.yaml sets it.
"""

from __future__ import annotations

from custom_handlers.core.models import PRICE_PER_TOKEN
from gateway.management import Gateway

SENTENCE = (
    "Spend and budgets are counted in **millions of tokens**: $1.00 here is one million tokens, not a dollar. "
    "Your contract's prices go into litellm_config.yaml."
)


def publish(gateway: Gateway) -> None:
    """Puts the sentence up, once, and takes it down when the prices are others. An operator's own words stay."""
    banner = gateway.get("/get/user_banner")
    true = has_default_prices(gateway)
    if true and not banner["message"]:
        gateway.patch("/update/user_banner", {"enabled": True, "message": SENTENCE, "severity": "info"})
    elif not true and banner["enabled"] and banner["message"] == SENTENCE:
        gateway.patch("/update/user_banner", {"enabled": False, "message": ""})


def has_default_prices(gateway: Gateway) -> bool:
    prices = [
        model["model_info"].get(f"{direction}_cost_per_token")
        for model in gateway.get("/model/info")["data"]
        for direction in ("input", "output")
    ]
    return all(price == PRICE_PER_TOKEN for price in prices)
