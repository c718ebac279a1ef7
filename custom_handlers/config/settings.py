"""What the environment and the configuration file say about StackSpot, checked as a whole.

Every mistake becomes one sentence: which variable, what is wrong, where to get it. A value that may be a secret, or was
meant to be one, is never quoted.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from custom_handlers.config.addresses import DEFAULT_ADDRESSES
from custom_handlers.config.config_file import (
    API_KEY_VARIABLE,
    DEFAULT_AGENT_VARIABLE,
    WHERE_AGENT,
    ModelEntry,
    check,
    read_model_list,
    scan,
    stray_variables,
)
from custom_handlers.config.pacing import VARIABLES as PACING_VARIABLES
from custom_handlers.config.pacing import read_quota
from custom_handlers.config.request_limits import VARIABLES as LIMIT_VARIABLES
from custom_handlers.config.request_limits import RequestLimits, read_limits
from custom_handlers.config.spelling import suggestion
from custom_handlers.config.stored_responses import VARIABLES as RESPONSES_VARIABLES
from custom_handlers.config.stored_responses import read_minutes
from custom_handlers.core.errors import ConfigurationError
from custom_handlers.core.models import AGENT_VARIABLES, MODELS, is_ulid
from custom_handlers.http.network import is_loopback
from custom_handlers.pacing.quota import Quota

__all__ = ["KNOWN", "ModelEntry", "Settings", "log_level", "read", "read_model_list", "read_settings"]

PREFIX = "STACKSPOT_"
SWITCHES = (
    "STACKSPOT_LOG_CONTENT",
    "STACKSPOT_UPLOADS",
    "STACKSPOT_FETCH_IMAGES",
    "STACKSPOT_MASK_PERSONAL_DATA",
)
SWITCH_VALUES = ("", "true", "false")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
CREDENTIALS = ("STACKSPOT_REALM", "STACKSPOT_CLIENT_ID", "STACKSPOT_CLIENT_SECRET", "STACKSPOT_CLIENT_KEY")
# All that the handler reads.
KNOWN = (
    *CREDENTIALS,
    *AGENT_VARIABLES.values(),
    DEFAULT_AGENT_VARIABLE,
    API_KEY_VARIABLE,
    *DEFAULT_ADDRESSES,
    *SWITCHES,
    "STACKSPOT_LOG_LEVEL",
    *LIMIT_VARIABLES,
    *PACING_VARIABLES,
    *RESPONSES_VARIABLES,
)
CLIENTS_KEY = f"{PREFIX}GATEWAY_KEY"  # a developer's own virtual key, for clients
_WHERE_CREDENTIALS = (
    "StackSpot portal, profile, Access token (or a service credential from your account's administrator)"
)
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Settings:
    """One StackSpot account. `agent_ids` maps model names to ULIDs; addresses have no trailing slash."""

    realm: str
    client_id: str
    client_secret: str = field(repr=False)
    api_key: str = field(repr=False)
    agent_ids: Mapping[str, str]
    api_base: str
    idm_url: str
    inference_url: str
    upload_url: str
    log_content: bool = False
    uploads: bool = False
    fetch_images: bool = False
    mask_personal_data: bool = False
    limits: RequestLimits = field(default_factory=RequestLimits)
    quota: Quota | None = None  # what the account may ask in a minute; None for no limit
    responses_minutes: int = 0  # how long answers of /v1/responses are kept; 0 for not at all
    in_process: bool = False  # no configuration file: the environment alone says which agents there are


def read(environ: Mapping[str, str], config: Path | None) -> Settings:
    """The settings for a configuration file. Raises ConfigurationError with the mistakes of both, together."""
    entries, mistakes = scan(config) if config else (None, [])
    try:
        settings = read_settings(environ, entries)
    except ConfigurationError as error:
        raise ConfigurationError([*mistakes, *error.mistakes]) from None
    if mistakes:
        raise ConfigurationError(mistakes)
    return settings


def read_settings(environ: Mapping[str, str], entries: Iterable[ModelEntry] | None = None) -> Settings:
    """The account's settings. Raises ConfigurationError with every mistake.

    `entries` are those that must be able to answer; without them, the three models as the environment sets them.
    """
    mistakes: list[str] = []
    env = {name: value.strip() for name, value in environ.items() if name.startswith(PREFIX)}
    in_process = entries is None
    entries = [ModelEntry(model, model, {}) for model in MODELS] if entries is None else list(entries)
    mistakes += _unknown(environ, [name for entry in entries for name in entry.variables])
    mistakes += stray_variables(entries, KNOWN, env)
    addresses = {
        name: _address(name, env.get(name) or default, mistakes) for name, default in DEFAULT_ADDRESSES.items()
    }
    agent_ids = _agent_ids(env, mistakes)
    api_key = _api_key(env.get(API_KEY_VARIABLE, ""), mistakes)
    has_key = bool(api_key or env.get(API_KEY_VARIABLE))
    needed = check(entries, agent_ids, has_key=has_key, mistakes=mistakes, in_process=in_process)
    realm, client_id, secret = _credentials(env, mistakes, needed=needed)
    switches = {name: env.get(name, "").lower() for name in SWITCHES}
    mistakes += [f"{name} must be true or false." for name, value in switches.items() if value not in SWITCH_VALUES]
    limits, quota = read_limits(env, mistakes), read_quota(env, mistakes)
    responses_minutes = read_minutes(env, mistakes)
    if env.get("STACKSPOT_LOG_LEVEL") and log_level(env) is None:
        mistakes.append(f"STACKSPOT_LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}.")
    if mistakes:
        raise ConfigurationError(mistakes)
    return Settings(
        realm=realm,
        client_id=client_id,
        client_secret=secret,
        api_key=api_key,
        agent_ids=agent_ids,
        api_base=addresses["STACKSPOT_API_BASE"],
        idm_url=addresses["STACKSPOT_IDM_URL"],
        inference_url=addresses["STACKSPOT_INFERENCE_URL"],
        upload_url=addresses["STACKSPOT_UPLOAD_URL"],
        log_content=switches["STACKSPOT_LOG_CONTENT"] == "true",
        uploads=switches["STACKSPOT_UPLOADS"] == "true",
        fetch_images=switches["STACKSPOT_FETCH_IMAGES"] == "true",
        mask_personal_data=switches["STACKSPOT_MASK_PERSONAL_DATA"] == "true",
        limits=limits,
        quota=quota,
        responses_minutes=responses_minutes,
        in_process=in_process,
    )


def log_level(environ: Mapping[str, str]) -> int | None:
    """The level that STACKSPOT_LOG_LEVEL asks for, or None."""
    name = environ.get("STACKSPOT_LOG_LEVEL", "").strip().upper()
    return logging.getLevelNamesMapping()[name] if name in LOG_LEVELS else None


def _unknown(environ: Mapping[str, str], named: list[str]) -> list[str]:
    """Mistakes for names that were meant for the gateway; `named` are those that the configuration introduces."""
    known = {*KNOWN, CLIENTS_KEY, *named}
    return [
        f"{name} is not a setting of the gateway{suggestion(name, KNOWN)}"
        for name, value in environ.items()
        if value and name not in known and name.upper().startswith(PREFIX.removesuffix("_"))
    ]


def _credentials(env: Mapping[str, str], mistakes: list[str], *, needed: bool) -> tuple[str, str, str]:
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


def _agent_ids(env: Mapping[str, str], mistakes: list[str]) -> dict[str, str]:
    for name in (*AGENT_VARIABLES.values(), DEFAULT_AGENT_VARIABLE):
        if env.get(name) and not is_ulid(env[name]):
            mistakes.append(f"{name} is not a ULID (26 characters, upper case): copy it from {WHERE_AGENT}.")
    default = env.get(DEFAULT_AGENT_VARIABLE)
    found = {model: env.get(name) or default for model, name in AGENT_VARIABLES.items()}
    return {model: agent_id for model, agent_id in found.items() if agent_id}


def _api_key(value: str, mistakes: list[str]) -> str:
    key = value if not value or value.startswith("sk-") else f"sk-{value}"
    if key and (not _is_token(key) or key == "sk-"):
        mistakes.append(
            "STACKSPOT_API_KEY is malformed: it must be one word of printable characters, with or without sk-."
        )
        return ""
    return key


def _address(name: str, value: str, mistakes: list[str]) -> str:
    try:
        url = urlsplit(value)
        host, _ = url.hostname or "", url.port
    except ValueError:
        host = ""
    if not host or url.scheme not in ("http", "https") or not value.isprintable() or " " in value:
        mistakes.append(f"{name} is not an address such as {DEFAULT_ADDRESSES[name]}.")
    elif url.username or url.password or url.query or url.fragment:
        mistakes.append(f"{name} must hold no user, password, query or fragment.")
    elif url.scheme == "http" and not is_loopback(host):
        mistakes.append(f"{name} is a plain-http address: only https, or http on this machine's loopback, is allowed.")
    return value.rstrip("/")


def _is_token(value: str) -> bool:
    return value.isascii() and value.isprintable() and not re.search(r"[\s<>]", value)
