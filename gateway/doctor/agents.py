"""Which agents an account has, by the environment and the configuration file; without a YAML reader."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from custom_handlers.config.accounts import named_in, prefix
from custom_handlers.core.models import AGENT_VARIABLES, is_ulid

_ENTRY = re.compile(r"^[ \t]*-[ \t{]*model_name:", re.MULTILINE)
_NAME = re.compile(r"[ \t]*[\"']?([^\s\"',}#]+)")
_AGENT = re.compile(r"\bstackspot_agent_id:\s*[\"']?(?:os\.environ/(\w+)|([0-9A-Z]{26})\b)")


def agents_of(account: str, env: Mapping[str, str], configuration: str) -> dict[str, str]:
    """The names of the models of each agent, by the agent's id. `account` is "" for the default one."""
    found: dict[str, list[str]] = {}

    def add(agent_id: str, model: str) -> None:
        if is_ulid(agent_id) and model not in (models := found.setdefault(agent_id, [])):
            models.append(model)

    if not account:
        for model, variable in AGENT_VARIABLES.items():
            add(env.get(variable) or env.get("STACKSPOT_AGENT_ID", ""), model)
    for model, owner, variable, agent_id in _entries(configuration):
        if owner == account and (account or variable not in AGENT_VARIABLES.values()):
            default = env.get(f"{prefix(account)}AGENT_ID", "") if account else ""
            add(agent_id or env.get(variable, "") or default, model)
    return {agent_id: ", ".join(models) for agent_id, models in found.items()}


def _entries(configuration: str) -> Iterator[tuple[str, str, str, str]]:
    """Each model with its account, and the variable that has its agent, or the agent."""
    for text in _ENTRY.split(re.sub(r"(^|\s)#.*$", "", configuration, flags=re.MULTILINE))[1:]:
        name, accounts, agent = _NAME.match(text), named_in(text), _AGENT.search(text)
        variable, agent_id = agent.groups("") if agent else ("", "")
        yield name[1] if name else "?", accounts[0] if accounts else "", variable, agent_id
