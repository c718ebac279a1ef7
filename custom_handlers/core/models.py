"""The models by name, and what follows from a name alone. The one place for these; litellm_config.yaml repeats them."""

import re

PROVIDER = "stackspot_ai"
# Each model with the variable that holds its agent.
AGENT_VARIABLES = {
    "stackspot-ai-chat": "STACKSPOT_CHAT_AGENT_ID",
    "stackspot-ai-code": "STACKSPOT_CODE_AGENT_ID",
    "stackspot-ai-assistant": "STACKSPOT_ASSISTANT_AGENT_ID",
}
MODELS = tuple(AGENT_VARIABLES)
ALIASES = {
    "stackspot": "stackspot-ai-chat",
    "stackspot-code": "stackspot-ai-code",
    "stackspot-assistant": "stackspot-ai-assistant",
}
PRICE_PER_TOKEN = 0.000001  # one unit of spend is a million tokens
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def canonical_model_name(model: str) -> str:
    """The model's own name for a name or alias, with or without the provider in front."""
    name = model.removeprefix(f"{PROVIDER}/")
    return ALIASES.get(name, name)


def is_ulid(value: object) -> bool:
    """Agent ids are ULIDs: 26 characters, Crockford base 32, upper case (DOC-AG, STKAI)."""
    return isinstance(value, str) and _ULID.fullmatch(value) is not None
