"""Who the gateway is to StackSpot: one account's client key, API key and agents. A secret is never quoted."""

import re
from collections.abc import Iterable, Mapping

from custom_handlers.config.accounts import OPTION, prefix
from custom_handlers.config.config_file import API_KEY_VARIABLE, DEFAULT_AGENT_VARIABLE, WHERE_AGENT
from custom_handlers.core.models import AGENT_VARIABLES, is_ulid

_WHERE_CREDENTIALS = (
    "StackSpot portal, profile, Access token (or a service credential from your account's administrator)"
)
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def read_credentials(env: Mapping[str, str], mistakes: list[str], *, needed: bool) -> tuple[str, str, str]:
    """Realm, client id and secret; what is wrong with them, or missing, is added to `mistakes`."""
    realm, client_id = env.get("STACKSPOT_REALM", ""), env.get("STACKSPOT_CLIENT_ID", "")
    secret, key = env.get("STACKSPOT_CLIENT_SECRET", ""), env.get("STACKSPOT_CLIENT_KEY", "")
    if secret and key and secret != key:
        mistakes.append(
            "STACKSPOT_CLIENT_SECRET and STACKSPOT_CLIENT_KEY are two names of one secret, but differ: set one."
        )
    secret = secret or key
    if needed or realm or client_id or secret:
        for name, value, what in (
            ("STACKSPOT_REALM", realm, "the account's slug, shown beside the client key"),
            ("STACKSPOT_CLIENT_ID", client_id, "the id of the client key"),
            ("STACKSPOT_CLIENT_SECRET", secret, 'the secret, which the portal calls "client key"'),
        ):
            if not value:
                mistakes.append(f"{name} is missing: {what}; from {_WHERE_CREDENTIALS}.")
            elif not _is_token(value):
                mistakes.append(f"{name} holds blanks, control characters or a placeholder; from {_WHERE_CREDENTIALS}.")
    if realm and _is_token(realm) and not _SLUG.fullmatch(realm):
        mistakes.append("STACKSPOT_REALM is not an account slug (letters, digits, dots and dashes).")
    return realm, client_id, secret


def read_agent_ids(env: Mapping[str, str], mistakes: list[str]) -> dict[str, str]:
    """The agent of each model that has one."""
    for name in (*AGENT_VARIABLES.values(), DEFAULT_AGENT_VARIABLE):
        if env.get(name) and not is_ulid(env[name]):
            mistakes.append(f"{name} is not a ULID (26 characters, upper case): copy it from {WHERE_AGENT}.")
    default = env.get(DEFAULT_AGENT_VARIABLE)
    found = {model: env.get(name) or default for model, name in AGENT_VARIABLES.items()}
    return {model: agent_id for model, agent_id in found.items() if agent_id}


def read_api_key(env: Mapping[str, str], mistakes: list[str]) -> str:
    """The key of the key API with its prefix; empty if there is none, or a wrong one."""
    value = env.get(API_KEY_VARIABLE, "")
    key = value if not value or value.startswith("sk-") else f"sk-{value}"
    if key and (not _is_token(key) or key == "sk-"):
        mistakes.append(
            "STACKSPOT_API_KEY is malformed: it must be one word of printable characters, with or without sk-."
        )
        return ""
    return key


def same_credentials(accounts: Iterable[tuple[str, str, str, str]]) -> list[str]:
    """Mistakes for accounts that are one at StackSpot, each given as name, realm, client id and API key.

    Each would go at the pace that StackSpot allows both of them together.
    """
    owners: dict[tuple[str, ...], str] = {}
    found = []
    for name, realm, client_id, api_key in accounts:
        for variable, credential in (("CLIENT_ID", (realm, client_id)), ("API_KEY", (api_key,))):
            if all(credential) and (owner := owners.setdefault(credential, name)) != name:
                of = f"account {owner}" if owner else "the default account"
                found.append(
                    f"{prefix(name)}{variable} is that of {of}: at StackSpot they are one account, with one limit. "
                    f"Take {OPTION}: {name} out of its models{f', or write {owner} there' if owner else ''}; or set "
                    "the credentials of another account."
                )
    return found


def _is_token(value: str) -> bool:
    return value.isascii() and value.isprintable() and not re.search(r"[\s<>]", value)
