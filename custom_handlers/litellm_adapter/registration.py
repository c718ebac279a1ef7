"""Makes the StackSpot models known to LiteLLM in this process, with its own means and without replacing any of them."""

import litellm
from litellm.litellm_core_utils import fallback_generalizations
from litellm.proxy.types_utils.utils import get_instance_fn
from litellm.utils import register_model

from custom_handlers.core.models import ALIASES, MODELS, PRICE_PER_TOKEN, PROVIDER

# The same path as in litellm_config.yaml, loaded the same way.
HANDLER = "custom_handlers.stackspot.stackspot_llm"

_RULE = {"name": PROVIDER, "pattern": "^stackspot(-|$)", "model_info": {"litellm_provider": PROVIDER}}


def register() -> None:
    """Safe to call again: every step looks first whether it is done."""
    # LiteLLM's own banner on each error ("Give Feedback / Get Help") is not for our users; the proxy sets this too.
    litellm.suppress_debug_info = True
    if not any(item["provider"] == PROVIDER for item in litellm.custom_provider_map):
        litellm.custom_provider_map.append({"provider": PROVIDER, "custom_handler": get_instance_fn(HANDLER)})
        litellm.utils.custom_llm_setup()  # type: ignore[no-untyped-call]
    register_model(
        {
            f"{PROVIDER}/{name}": {
                "litellm_provider": PROVIDER,
                "mode": "chat",
                "input_cost_per_token": PRICE_PER_TOKEN,
                "output_cost_per_token": PRICE_PER_TOKEN,
                "cache_read_input_token_cost": 0,  # without these two LiteLLM warns about each name
                "cache_creation_input_token_cost": 0,
                "supports_function_calling": True,
            }
            for name in (*MODELS, *ALIASES)
        }
    )
    # Bare names: LiteLLM infers a provider by these rules. A wrong name gets here too: the error names the right ones.
    rules = fallback_generalizations.get_fallback_generalization_rules()
    if not any(rule.get("name") == PROVIDER for rule in rules):
        fallback_generalizations.set_fallback_generalizations([*rules, _RULE])
