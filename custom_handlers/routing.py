"""Which upstream a model uses, decided by the data of its deployment: an agent, or the key API."""

import os
import re
from collections.abc import Mapping
from typing import Any

from custom_handlers.core.errors import PROVIDER, InternalServerError, UnknownModelError
from custom_handlers.http.client import Limits
from custom_handlers.spelling import SURE, nearest, suggestion
from custom_handlers.upstream.agents_api import Agent, is_ulid
from custom_handlers.upstream.key_api import PATHS

MODELS = tuple(PATHS)
ALIASES = {
    "stackspot": "stackspot-ai-chat",
    "stackspot-code": "stackspot-ai-code",
    "stackspot-assistant": "stackspot-ai-assistant",
}
PREFIX = "stackspot"
AGENT_FIELD = "stackspot_agent_id"
_SWITCHES = {
    "stackspot_knowledge": "knowledge",
    "stackspot_deep_search": "deep_search",
    "stackspot_thinking_open": "thinking_open",
}
_VERSION, _SOURCES = "stackspot_agent_version", "stackspot_knowledge_source_ids"
AGENT_OPTIONS = (*_SWITCHES, _VERSION, _SOURCES)
LIMIT_FIELDS = {"stackspot_first_byte_timeout": "first_byte", "stackspot_idle_timeout": "idle"}
OPTIONS = (AGENT_FIELD, *AGENT_OPTIONS, *LIMIT_FIELDS)
_COUNT = re.compile(r"[1-9][0-9]{0,8}")


def canonical(model: str) -> str:
    """The model's own name for a name or alias, with or without the provider in front."""
    name = model.removeprefix(f"{PROVIDER}/")
    return ALIASES.get(name, name)


def agent_id_for(model: str, info: Mapping[str, Any], agent_ids: Mapping[str, str], *, has_api_key: bool) -> str | None:
    """The agent behind `model`, or None for the key API.

    `info` is the deployment's `model_info` (empty for in-process calls), `agent_ids` what the environment says. A
    deployment without the field uses the key API, when there is a key for it. Raises UnknownModelError.
    """
    from_environment = AGENT_FIELD in info or not info or not has_api_key
    agent_id = str(info.get(AGENT_FIELD) or "").strip() or (agent_ids.get(model) if from_environment else None)
    if not agent_id and model not in PATHS:
        raise UnknownModelError(
            f"Unknown StackSpot model {model[:100]!r}; valid names are {', '.join((*MODELS, *ALIASES))}.", param="model"
        )
    return agent_id or None


def agent_options(info: Mapping[str, Any]) -> dict[str, Any]:
    """Agent's keyword arguments for the options in a `model_info`. Raises ValueError naming the field at fault."""
    options: dict[str, Any] = {}
    for field, name in _SWITCHES.items():
        if (value := resolve(info.get(field))) is not None:
            options[name] = _boolean(field, value)
    if (version := resolve(info.get(_VERSION))) is not None:
        if not _COUNT.fullmatch(str(version)):
            raise ValueError(f"{_VERSION} is {version!r}, but must be a whole number from 1")
        options["version"] = int(version)
    if (sources := info.get(_SOURCES)) is not None:
        if not isinstance(sources, list) or not all(isinstance(source, str) and source for source in sources):
            raise ValueError(f"{_SOURCES} must be a list of knowledge source ids")
        options["knowledge_source_ids"] = tuple(sources)
    return options


def unknown_options(info: Mapping[str, Any]) -> list[str]:
    """A sentence for each option that was meant for this provider, and is none of its own."""
    return [
        f"{name} is no option{suggestion(name, OPTIONS)}"
        for name in map(str, info)
        if name not in OPTIONS and (name.casefold().startswith(PREFIX) or nearest(name, OPTIONS, SURE))
    ]


def refuse_unknown_options(info: Mapping[str, Any]) -> None:
    """For deployments that no start has checked: added in the UI, or to a Router. Raises InternalServerError.

    A misspelt agent id must not send a model to the other API in silence.
    """
    if any(name not in OPTIONS and name.casefold().startswith(PREFIX) for name in map(str, info)):
        raise InternalServerError(f"This model's configuration is wrong: {' '.join(unknown_options(info))}")


def agent(agent_id: str, info: Mapping[str, Any]) -> Agent:
    """The Agent of a deployment. Raises ValueError naming the field at fault."""
    if not is_ulid(agent_id):
        raise ValueError("the agent id is not a ULID: 26 characters, as in the agent's page in the StackSpot portal")
    return Agent(agent_id, **agent_options(info))


def limits(info: Mapping[str, Any], total: float | None = None) -> Limits:
    """The time limits of a call in seconds; `total` is LiteLLM's `timeout`. Raises ValueError naming the field."""
    chosen: dict[str, float] = {"total": total} if total else {}
    for field, name in LIMIT_FIELDS.items():
        if (value := resolve(info.get(field))) is not None:
            chosen[name] = _seconds(field, value)
    return Limits(**chosen)


def context_limit(info: Mapping[str, Any]) -> int | None:
    """The most tokens of a prompt, LiteLLM's `max_input_tokens`. Raises ValueError naming the field."""
    if (value := resolve(info.get("max_input_tokens"))) is None:
        return None
    if not _COUNT.fullmatch(str(value)):
        raise ValueError(f"max_input_tokens is {value!r}, but must be a whole number from 1")
    return int(value)


def resolve(value: Any) -> Any:
    """A configuration value with LiteLLM's `os.environ/NAME` form looked up, at any depth; unset and empty are None."""
    if isinstance(value, dict):
        return {name: resolve(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [resolve(inner) for inner in value]
    if isinstance(value, str) and value.startswith("os.environ/"):
        return os.environ.get(value.removeprefix("os.environ/")) or None
    return value


def _seconds(field: str, value: object) -> float:
    try:
        seconds = float(str(value))  # from the environment it comes as text
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise ValueError(f"{field} is {value!r}, but must be a number of seconds above 0")
    return seconds


def _boolean(field: str, value: object) -> bool:
    known = {"true": True, "false": False}
    text = str(value).lower()
    if text not in known:
        raise ValueError(f"{field} is {value!r}, but must be true or false")
    return known[text]
