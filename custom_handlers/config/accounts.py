"""Accounts beside the default one: `stackspot_account: team-b` has its settings in STACKSPOT_TEAM_B_REALM and so on.

Needs nothing but Python: `gateway.names` and `gateway doctor` know the names from here as well.
"""

import re
from collections.abc import Iterable, Mapping

OPTION = "stackspot_account"
PREFIX = "STACKSPOT_"
NEEDED = ("REALM", "CLIENT_ID", "CLIENT_SECRET")
_CREDENTIALS = (*NEEDED, "CLIENT_KEY", "API_KEY", "AGENT_ID")
# What an account does not set for itself it has from the general setting.
_INHERITED = ("UPLOADS", "REQUESTS_PER_MINUTE", "BURST", "MAX_WAIT_SECONDS", "MAX_QUEUE")
_SETTINGS = (*_CREDENTIALS, *_INHERITED)
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_MOST_LETTERS = 40
_GENERAL = re.compile(rf"\b{PREFIX}({'|'.join(_SETTINGS)})\b")
# In the text of a configuration file, for programs without a YAML reader.
_NAMED = re.compile(rf"\b{OPTION}[\"']?\s*:\s*[\"']?([\w-]+)")


def is_name(value: str) -> bool:
    return len(value) <= _MOST_LETTERS and _NAME.fullmatch(value) is not None


def likely_name(value: object) -> str:
    """The name that was probably meant by one that is none; empty if there is none like it."""
    name = re.sub(r"[^a-z0-9]+", "-", str(value).lower()).strip("-")
    return name if is_name(name) else ""


def prefix(account: str) -> str:
    """What the account's variables begin with; of the default account, "", as the general ones."""
    return f"{PREFIX}{account.upper().replace('-', '_')}_" if account else PREFIX


def variables(account: str) -> tuple[str, ...]:
    """All that an account beside the default one may set."""
    return tuple(f"{prefix(account)}{name}" for name in _SETTINGS)


def named_in(text: str) -> tuple[str, ...]:
    """The accounts that a configuration file names, in order."""
    without_comments = re.sub(r"(^|\s)#.*$", "", text, flags=re.MULTILINE)
    return tuple(name for name in dict.fromkeys(_NAMED.findall(without_comments)) if is_name(name))


def environment_of(account: str, env: Mapping[str, str]) -> dict[str, str]:
    """What the account sets, and what it inherits, under the names that the default account has for it."""
    inherited = {f"{PREFIX}{name}": env.get(f"{PREFIX}{name}", "") for name in _INHERITED}
    own = {f"{PREFIX}{name}": env.get(f"{prefix(account)}{name}", "") for name in _SETTINGS}
    return {name: own[name] or inherited.get(name, "") for name in own}


def mistakes_of(account: str, mistakes: Iterable[str], env: Mapping[str, str]) -> list[str]:
    """Mistakes in what `environment_of` gave, in the account's own words; general settings are told elsewhere."""
    found = []
    for mistake in mistakes:
        first = _GENERAL.match(mistake)
        if first and first[1] in _INHERITED and not env.get(f"{prefix(account)}{first[1]}"):
            continue
        found.append(in_words_of(account, mistake))
    return found


def in_words_of(account: str, text: str) -> str:
    """`text` about the default account's variables, as one about those of `account`."""
    return _GENERAL.sub(lambda found: f"{prefix(account)}{found[1]}", text) if account else text


def stranger(variable: str, known: Iterable[str]) -> str:
    """The account whose credential a variable seems to be, which no model names; empty if it is none."""
    found = re.fullmatch(rf"{PREFIX}(\w+?)_(?:REALM|CLIENT_ID|CLIENT_SECRET|CLIENT_KEY)", variable)
    name = likely_name(found[1]) if found else ""
    return "" if name in {"", *known} else name
