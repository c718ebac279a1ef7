"""The StackSpot deployments of LiteLLM's configuration file, and what is wrong with them."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from custom_handlers.config import accounts, yaml_file
from custom_handlers.config.deployment import PREFIX, parse, resolve, resolve_agent
from custom_handlers.config.spelling import listed, nearest, suggestion
from custom_handlers.config.traces import callback_mistakes
from custom_handlers.core.errors import ConfigurationError, UnknownModelError
from custom_handlers.core.models import AGENT_VARIABLES, PRICE_PER_TOKEN, PROVIDER, canonical_model_name, is_ulid

DEFAULT_AGENT_VARIABLE = "STACKSPOT_AGENT_ID"
API_KEY_VARIABLE = "STACKSPOT_API_KEY"
WHERE_AGENT = "the agent's page in the StackSpot portal; it must be shared with the gateway's client key"
_COSTS = ("input_cost_per_token", "output_cost_per_token")
_REFERENCE = re.compile(r"os\.environ/(STACKSPOT\w*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One `model_list` entry of this provider: its name there, StackSpot's model and its `model_info`.

    `variables` are those of StackSpot's that its entry names, `misplaced` options that stand among `litellm_params`,
    `account` is who answers: "" for the default account.
    """

    name: str
    model: str
    info: Mapping[str, Any]
    variables: tuple[str, ...] = ()
    misplaced: tuple[str, ...] = ()
    default_prices: bool = False

    @property
    def account(self) -> str:
        """The account that was meant, also by a name that is refused: else its variables would be mistakes as well."""
        given = self.info.get(accounts.OPTION)
        return accounts.likely_name(given) if given is not None else ""


def read_model_list(config: Path) -> list[ModelEntry]:
    """The StackSpot entries of a LiteLLM configuration file. Raises ConfigurationError with every mistake."""
    found, mistakes = scan(config, os.environ)
    if mistakes or found is None:
        raise ConfigurationError(mistakes)
    return found


def scan(config: Path, environ: Mapping[str, str]) -> tuple[list[ModelEntry] | None, list[str]]:
    """The deployments that can be read, and the mistakes; None when the file as a whole cannot be read."""
    try:
        content, mistakes = yaml_file.load(config)
    except (OSError, ValueError, yaml.YAMLError) as error:
        return None, [f"{config} cannot be read ({type(error).__name__}{_line(error)})."]
    if isinstance(content, dict):
        mistakes += callback_mistakes(content.get("litellm_settings"), environ)
    entries = content.get("model_list") if isinstance(content, dict) else None
    found: list[ModelEntry] = []
    ids: list[tuple[str, str]] = []
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
            ModelEntry(
                name,
                canonical_model_name(model),
                resolve(info),
                tuple(dict.fromkeys(_REFERENCE.findall(str([info, params])))),
                tuple(option for option in params if str(option).casefold().startswith(PREFIX)),
                _has_default_prices(params, info),
            )
        )
        ids.append((name, str(info.get("id") or f"{name} {params}")))
    mistakes += [
        f"Model {name} has {count} deployments that LiteLLM takes for one: give each an `id` of its own in model_info."
        for (name, _), count in Counter(ids).items()
        if count > 1
    ]
    return found, mistakes


def _has_default_prices(params: Mapping[str, Any], info: Mapping[str, Any]) -> bool:
    """Of the two places LiteLLM takes the first that has a price."""
    resolved = [resolve({name: each.get(name) for name in _COSTS}) for each in (params, info)]
    prices = [resolved[0][name] or resolved[1][name] for name in _COSTS]
    try:
        return all(float(price) == PRICE_PER_TOKEN for price in prices)
    except (TypeError, ValueError, OverflowError):
        return False


def check(
    entries: Iterable[ModelEntry],
    agent_ids: Mapping[str, str],
    *,
    has_key: bool,
    mistakes: list[str],
    in_process: bool = False,
) -> bool:
    """Whether client credentials are needed: for an agent, or because nothing says what else is to answer.

    The same mistake in several entries is one sentence.
    """
    found: dict[str, list[str]] = {}
    lacking: list[ModelEntry] = []
    needed = False
    for entry in entries:
        deployment, wrong = parse(entry.info)
        misplaced = [f"{option} stands in litellm_params, but belongs into model_info." for option in entry.misplaced]
        for mistake in (*wrong, *misplaced):
            found.setdefault(mistake, []).append(entry.name)
        try:
            agent_id = resolve_agent(deployment, entry.model, agent_ids, has_api_key=has_key, in_process=in_process)
        except UnknownModelError as error:
            named = "stackspot_agent_id" in entry.info
            empty = f"its stackspot_agent_id is empty, and the key API has no model {entry.model[:100]}."
            found.setdefault(empty if named else error.message, []).append(entry.name)
            continue
        if agent_id and agent_id not in agent_ids.values() and not is_ulid(agent_id):
            found.setdefault(f"the agent id is not a ULID: copy it from {WHERE_AGENT}.", []).append(entry.name)
        if not agent_id and not has_key:
            lacking.append(entry)
        needed = needed or bool(agent_id)
    mistakes += [f"{_models(names)}: {mistake}" for mistake, names in found.items()]
    if lacking:
        mistakes.append(_nothing_answers(lacking))
    return needed or bool(lacking)


def _nothing_answers(lacking: list[ModelEntry]) -> str:
    names = list(dict.fromkeys(entry.name for entry in lacking))
    own = [AGENT_VARIABLES[entry.model] for entry in lacking if entry.model in AGENT_VARIABLES and not entry.account]
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


def stray_variables(entries: Iterable[ModelEntry], known: Iterable[str], environ: Mapping[str, str]) -> list[str]:
    """Mistakes for variables that the configuration names, and that are neither settings nor set."""
    known = set(known)
    named = dict.fromkeys(name for entry in entries for name in entry.variables)
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
