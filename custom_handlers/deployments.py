"""The StackSpot deployments of LiteLLM's configuration file, and what is wrong with them."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from custom_handlers import routing
from custom_handlers.core.errors import PROVIDER, ConfigurationError, UnknownModelError
from custom_handlers.spelling import listed, nearest, suggestion
from custom_handlers.upstream.agents_api import is_ulid

AGENT_VARIABLES = {
    "stackspot-ai-chat": "STACKSPOT_CHAT_AGENT_ID",
    "stackspot-ai-code": "STACKSPOT_CODE_AGENT_ID",
    "stackspot-ai-assistant": "STACKSPOT_ASSISTANT_AGENT_ID",
}
DEFAULT_AGENT_VARIABLE = "STACKSPOT_AGENT_ID"
API_KEY_VARIABLE = "STACKSPOT_API_KEY"
WHERE_AGENT = "the agent's page in the StackSpot portal; it must be shared with the gateway's client key"
_REFERENCE = re.compile(r"os\.environ/(STACKSPOT\w*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Deployment:
    """One `model_list` entry of this provider: its name there, StackSpot's model and its `model_info`.

    `variables` are those of StackSpot's that its entry names, `misplaced` options that stand among `litellm_params`.
    """

    name: str
    model: str
    info: Mapping[str, Any]
    variables: tuple[str, ...] = ()
    misplaced: tuple[str, ...] = ()


def read_deployments(config: Path) -> list[Deployment]:
    """The StackSpot deployments of a LiteLLM configuration file. Raises ConfigurationError with every mistake."""
    found, mistakes = scan(config)
    if mistakes or found is None:
        raise ConfigurationError(mistakes)
    return found


def scan(config: Path) -> tuple[list[Deployment] | None, list[str]]:
    """The deployments that can be read, and the mistakes; None when the file as a whole cannot be read."""
    try:
        content = yaml.safe_load(config.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        return None, [f"{config} cannot be read ({type(error).__name__}{_line(error)})."]
    entries = content.get("model_list") if isinstance(content, dict) else None
    found: list[Deployment] = []
    mistakes: list[str] = []
    for entry in entries if isinstance(entries, list) else []:
        params = entry.get("litellm_params") if isinstance(entry, dict) else None
        if not isinstance(params, dict) or not isinstance(model := params.get("model"), str):
            continue
        name = str(entry.get("model_name"))
        if not model.startswith(f"{PROVIDER}/") and params.get("custom_llm_provider") != PROVIDER:
            if nearest(model.partition("/")[0], [PROVIDER], 0.75):
                mistakes.append(f"Model {name}: its `model` is {model!r}, but has to begin with {PROVIDER}/.")
            continue
        info = entry.get("model_info") or {}
        if not isinstance(info, dict):
            mistakes.append(f"{config}: the model_info of {name} is not a mapping.")
            continue
        found.append(
            Deployment(
                name,
                routing.canonical(model),
                routing.resolve(info),
                tuple(dict.fromkeys(_REFERENCE.findall(str([info, params])))),
                tuple(option for option in params if str(option).casefold().startswith(routing.PREFIX)),
            )
        )
    return found, mistakes


def check(
    deployments: Iterable[Deployment], agent_ids: Mapping[str, str], *, has_key: bool, mistakes: list[str]
) -> bool:
    """Whether client credentials are needed: for an agent, or because nothing says what else is to answer.

    The same mistake in several deployments is one sentence.
    """
    told: dict[str, list[str]] = {}
    lacking: list[Deployment] = []
    needed = False
    for deployment in deployments:
        for mistake in _mistakes(deployment):
            told.setdefault(mistake, []).append(deployment.name)
        try:
            agent_id = routing.agent_id_for(deployment.model, deployment.info, agent_ids, has_api_key=has_key)
        except UnknownModelError as error:
            told.setdefault(error.message, []).append(deployment.name)
            continue
        if agent_id and agent_id not in agent_ids.values() and not is_ulid(agent_id):
            told.setdefault(f"the agent id is not a ULID: copy it from {WHERE_AGENT}.", []).append(deployment.name)
        if not agent_id and not has_key:
            lacking.append(deployment)
        needed = needed or bool(agent_id)
    mistakes += [f"{_models(names)}: {mistake}" for mistake, names in told.items()]
    if lacking:
        mistakes.append(_nothing_answers(lacking))
    return needed or bool(lacking)


def _mistakes(deployment: Deployment) -> list[str]:
    """What is wrong with the options of one deployment, whichever upstream it has."""
    info = deployment.info
    found = routing.unknown_options(info)
    found += [f"{option} stands in litellm_params, but belongs into model_info." for option in deployment.misplaced]
    checks: dict[Callable[[Mapping[str, Any]], object], Iterable[str]] = {
        routing.limits: routing.LIMIT_FIELDS,
        routing.context_limit: ("max_input_tokens",),
        routing.agent_options: routing.AGENT_OPTIONS,
    }
    for option_check, options in checks.items():
        for option in options:  # one by one, so that each wrong one is told
            try:
                option_check({option: info.get(option)})
            except ValueError as error:
                found.append(f"{error}.")
    return found


def _nothing_answers(lacking: list[Deployment]) -> str:
    names = list(dict.fromkeys(deployment.name for deployment in lacking))
    own = [AGENT_VARIABLES[deployment.model] for deployment in lacking if deployment.model in AGENT_VARIABLES]
    own = list(dict.fromkeys(own))
    if len(own) == 1:
        variables = f"{own[0]} (or {DEFAULT_AGENT_VARIABLE}, for all models)"
    elif own:
        variables = f"{DEFAULT_AGENT_VARIABLE} (or {listed(own)}, each for its own model)"
    else:
        variables = DEFAULT_AGENT_VARIABLE
    return (
        f"{_models(names)} {'has' if len(names) == 1 else 'have'} neither an agent nor a key: set {variables} to the "
        f"id on {WHERE_AGENT}. Or set {API_KEY_VARIABLE} alone: the key API needs neither agent nor client key."
    )


def stray_variables(deployments: Iterable[Deployment], known: Iterable[str], environ: Mapping[str, str]) -> list[str]:
    """Mistakes for variables that the configuration names, and that are neither settings nor set."""
    known = set(known)
    named = dict.fromkeys(name for deployment in deployments for name in deployment.variables)
    return [
        f"The configuration names {name}, which is not set{suggestion(name, known)}"
        for name in named
        if name not in known and not environ.get(name)
    ]


def _models(names: list[str]) -> str:
    return f"Model {names[0]}" if len(names) == 1 else f"Models {listed(names)}"


def _line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f" in line {mark.line + 1}" if mark else ""
