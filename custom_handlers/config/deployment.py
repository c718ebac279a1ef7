"""One deployment's `model_info`, parsed once: its agent with its options, its timeouts, its context window."""

import json
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, ValidationInfo

from custom_handlers.config import accounts
from custom_handlers.config.spelling import SURE, nearest, suggestion
from custom_handlers.core.errors import ConfigurationError, UnknownModelError
from custom_handlers.core.models import ALIASES, MODELS
from custom_handlers.http.timeouts import Timeouts

PREFIX = "stackspot"
_WHOLE = re.compile(r"[1-9][0-9]{0,8}")
_SWITCH = {"true": True, "false": False}
_DEPLOYMENTS_KEPT = 256


def _seconds(value: object, info: ValidationInfo) -> float | None:
    if value is None:
        return None
    try:
        seconds = float(str(value))  # from the environment it comes as text
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise ValueError(f"{info.field_name} is {value!r}, but must be a number of seconds above 0")
    return seconds


def _whole(value: object, info: ValidationInfo) -> int | None:
    if value is None:
        return None
    if not _WHOLE.fullmatch(str(value)):
        raise ValueError(f"{info.field_name} is {value!r}, but must be a whole number from 1")
    return int(str(value))


def _switch(value: object, info: ValidationInfo) -> bool:
    if value is None:
        return False
    if (text := str(value).lower()) not in _SWITCH:
        raise ValueError(f"{info.field_name} is {value!r}, but must be true or false")
    return _SWITCH[text]


def _sources(value: object, info: ValidationInfo) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(source, str) and source for source in value):
        raise ValueError(f"{info.field_name} must be a list of knowledge source ids")
    return tuple(value)


def _agent_id(value: object) -> str | None:
    return str(value or "").strip() or None


def _account(value: object, info: ValidationInfo) -> str | None:
    if value is None or (isinstance(value, str) and accounts.is_name(value)):
        return value
    likely = accounts.likely_name(value)
    raise ValueError(
        f"{info.field_name} is {value!r}, but must be a name of small letters, digits and single dashes"
        + (f", such as {likely}" if likely else "")
    )


Seconds = Annotated[float | None, BeforeValidator(_seconds)]
Whole = Annotated[int | None, BeforeValidator(_whole)]
Switch = Annotated[bool, BeforeValidator(_switch)]


class Deployment(BaseModel):
    """What this provider reads of a `model_info`; every option is named there as it is here."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    stackspot_agent_id: Annotated[str | None, BeforeValidator(_agent_id)] = None
    stackspot_account: Annotated[str | None, BeforeValidator(_account)] = None  # whose credentials; None: the default
    stackspot_first_byte_timeout: Seconds = None
    stackspot_idle_timeout: Seconds = None
    max_input_tokens: Whole = None  # LiteLLM's name for the context window
    stackspot_knowledge: Switch = False
    stackspot_deep_search: Switch = False
    stackspot_thinking_open: Switch = False  # answers begin inside a thought
    stackspot_agent_version: Whole = None
    stackspot_knowledge_source_ids: Annotated[tuple[str, ...], BeforeValidator(_sources)] = ()

    def timeouts(self, total: float | None = None) -> Timeouts:
        """The timeouts of a call; `total` is LiteLLM's `timeout`."""
        chosen = {
            "first_byte": self.stackspot_first_byte_timeout,
            "idle": self.stackspot_idle_timeout,
            "total": total,
        }
        return Timeouts(**{name: seconds for name, seconds in chosen.items() if seconds})


OPTIONS = tuple(name for name in Deployment.model_fields if name.startswith(PREFIX))


def read_deployment(info: Mapping[str, Any]) -> Deployment:
    """The deployment behind a call, parsed when its `model_info` is new. Raises ConfigurationError.

    Also for deployments that no start has checked: added in the UI, or to a Router. A misspelt agent id must not send
    a model to the other API in silence.
    """
    return _read(json.dumps({name: resolve(info[name]) for name in info if _is_own(name)}, sort_keys=True, default=str))


@lru_cache(_DEPLOYMENTS_KEPT)
def _read(serialised: str) -> Deployment:
    deployment, mistakes = parse(json.loads(serialised))
    if mistakes:
        raise ConfigurationError(mistakes)
    return deployment


def parse(info: Mapping[str, Any]) -> tuple[Deployment, list[str]]:
    """The deployment that a `model_info` describes, without what is wrong in it, and a sentence for each mistake."""
    names = [str(name) for name in info]
    mistakes = [
        f"{name} is no option{suggestion(name, OPTIONS)}" for name in names if name not in OPTIONS and _is_meant(name)
    ]
    given = {name: resolve(info[name]) for name in Deployment.model_fields if name in info}
    try:
        return Deployment.model_validate(given), mistakes
    except ValidationError as error:
        for each in error.errors():
            mistakes.append(f"{each['ctx']['error']}.")
            del given[str(each["loc"][0])]
    return Deployment.model_validate(given), mistakes


def resolve_agent(
    deployment: Deployment, model: str, agent_ids: Mapping[str, str], *, has_api_key: bool, in_process: bool = False
) -> str | None:
    """The agent behind `model`, or None for the key API.

    `agent_ids` is what the environment says. In the proxy, a deployment that names no agent uses the key API when
    there is a key for it; `in_process` there is no place to name one, so the environment decides. Raises
    UnknownModelError.
    """
    named = "stackspot_agent_id" in deployment.model_fields_set
    agent_id = deployment.stackspot_agent_id
    if agent_id is None and (named or in_process or not has_api_key):
        agent_id = agent_ids.get(model)
    if agent_id is None and model not in MODELS:
        raise UnknownModelError(
            f"Unknown StackSpot model {model[:100]!r}; valid names are {', '.join((*MODELS, *ALIASES))}.", param="model"
        )
    return agent_id


def resolve(value: Any) -> Any:
    """A configuration value with LiteLLM's `os.environ/NAME` form looked up, at any depth; unset and empty are None.

    Not LiteLLM's own `get_secret`: the check of a configuration would wait seconds for its import.
    """
    if isinstance(value, dict):
        return {name: resolve(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [resolve(inner) for inner in value]
    if isinstance(value, str) and value.startswith("os.environ/"):
        return os.environ.get(value.removeprefix("os.environ/")) or None
    return value


def _is_own(name: object) -> bool:
    return name in Deployment.model_fields or str(name).casefold().startswith(PREFIX)


def _is_meant(name: str) -> bool:
    """Whether a name that is no option was meant as one."""
    return name.casefold().startswith(PREFIX) or nearest(name, OPTIONS, SURE) is not None
