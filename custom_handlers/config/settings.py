"""What the environment and the configuration file say about StackSpot, checked as a whole.

Every mistake becomes one sentence: which variable, what is wrong, where to get it. A value that may be a secret, or was
meant to be one, is never quoted.
"""

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from custom_handlers.config import accounts
from custom_handlers.config.addresses import DEFAULT_ADDRESSES
from custom_handlers.config.config_file import (
    API_KEY_VARIABLE,
    DEFAULT_AGENT_VARIABLE,
    ModelEntry,
    check,
    read_model_list,
    scan,
    stray_variables,
)
from custom_handlers.config.credentials import (
    read_agent_ids,
    read_api_key,
    read_credentials,
    same_credentials,
)
from custom_handlers.config.operation import VARIABLES as OPERATION_VARIABLES
from custom_handlers.config.operation import check_operation
from custom_handlers.config.pacing import VARIABLES as PACING_VARIABLES
from custom_handlers.config.pacing import read_quota
from custom_handlers.config.request_limits import VARIABLES as LIMIT_VARIABLES
from custom_handlers.config.request_limits import RequestLimits, read_limits
from custom_handlers.config.spelling import suggestion
from custom_handlers.config.stored_responses import VARIABLES as RESPONSES_VARIABLES
from custom_handlers.config.stored_responses import read_minutes
from custom_handlers.config.traces import read_traces
from custom_handlers.core.errors import ConfigurationError
from custom_handlers.core.models import AGENT_VARIABLES, MODELS
from custom_handlers.http.network import is_loopback
from custom_handlers.pacing.quota import Quota

__all__ = ["KNOWN", "ModelEntry", "Settings", "log_level", "read", "read_model_list", "read_settings"]

PREFIX = "STACKSPOT_"
SWITCHES = (
    "STACKSPOT_LOG_CONTENT",
    "STACKSPOT_ACCESS_LOG",
    "STACKSPOT_UPLOADS",
    "STACKSPOT_FETCH_IMAGES",
    "STACKSPOT_MASK_PERSONAL_DATA",
    "STACKSPOT_NAMED_LOGINS_ONLY",
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
    *OPERATION_VARIABLES,
)
CLIENTS_KEY = f"{PREFIX}GATEWAY_KEY"  # a developer's own virtual key, for clients


@dataclass(frozen=True, slots=True)
class Settings:
    """One StackSpot account. `agent_ids` maps model names to ULIDs; addresses have no trailing slash.

    `account` is its name, "" for the default one, which has those beside it in `others`.
    """

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
    access_log: bool = False
    traces: bool = False
    uploads: bool = False
    fetch_images: bool = False
    mask_personal_data: bool = False
    limits: RequestLimits = field(default_factory=RequestLimits)
    quota: Quota | None = None  # what the account may ask in a minute; None for no limit
    responses_minutes: int = 0  # how long answers of /v1/responses are kept; 0 for not at all
    default_prices: bool = False  # a unit of spend is a million tokens
    in_process: bool = False  # no configuration file: the environment alone says which agents there are
    account: str = ""
    others: Mapping[str, "Settings"] = field(default_factory=dict)


def read(environ: Mapping[str, str], config: Path | None) -> Settings:
    """The settings for a configuration file. Raises ConfigurationError with the mistakes of both, together."""
    entries, mistakes = scan(config, environ) if config else (None, [])
    try:
        settings = read_settings(environ, entries)
    except ConfigurationError as error:
        raise ConfigurationError([*mistakes, *error.mistakes]) from None
    if mistakes:
        raise ConfigurationError(mistakes)
    return settings


def read_settings(environ: Mapping[str, str], entries: Iterable[ModelEntry] | None = None) -> Settings:
    """The settings of all accounts. Raises ConfigurationError with every mistake.

    `entries` are those that must be able to answer; without them, the three models as the environment sets them.
    """
    mistakes: list[str] = []
    env = {name: value.strip() for name, value in environ.items() if name.startswith(PREFIX)}
    in_process = entries is None
    entries = [ModelEntry(model, model, {}) for model in MODELS] if entries is None else list(entries)
    names = dict.fromkeys(entry.account for entry in entries if entry.account)
    known = [*KNOWN, *(variable for name in names for variable in accounts.variables(name))]
    mistakes += _unknown(environ, known, [name for entry in entries for name in entry.variables], names)
    mistakes += stray_variables(entries, known, env)
    addresses = {
        name: _address(name, env.get(name) or default, mistakes) for name, default in DEFAULT_ADDRESSES.items()
    }
    switches = {name: env.get(name, "").lower() for name in SWITCHES}
    mistakes += [f"{name} must be true or false." for name, value in switches.items() if value not in SWITCH_VALUES]
    traces = not in_process and read_traces(environ, mistakes)
    limits = read_limits(env, mistakes)
    responses_minutes = read_minutes(env, mistakes)
    check_operation(env, mistakes)
    if env.get("STACKSPOT_LOG_LEVEL") and log_level(env) is None:
        mistakes.append(f"STACKSPOT_LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}.")
    base = Settings(
        realm="",
        client_id="",
        client_secret="",
        api_key="",
        agent_ids={},
        api_base=addresses["STACKSPOT_API_BASE"],
        idm_url=addresses["STACKSPOT_IDM_URL"],
        inference_url=addresses["STACKSPOT_INFERENCE_URL"],
        upload_url=addresses["STACKSPOT_UPLOAD_URL"],
        log_content=switches["STACKSPOT_LOG_CONTENT"] == "true",
        access_log=switches["STACKSPOT_ACCESS_LOG"] == "true",
        traces=traces,
        uploads=switches["STACKSPOT_UPLOADS"] == "true",
        fetch_images=switches["STACKSPOT_FETCH_IMAGES"] == "true",
        mask_personal_data=switches["STACKSPOT_MASK_PERSONAL_DATA"] == "true",
        limits=limits,
        responses_minutes=responses_minutes,
        default_prices=all(entry.default_prices for entry in entries),
        in_process=in_process,
    )
    settings = _account(base, env, [entry for entry in entries if not entry.account], mistakes)
    others = {name: _other(name, base, env, entries, mistakes) for name in names}
    asked = [settings] if any(not entry.account for entry in entries) else []
    mistakes += same_credentials(
        (each.account, each.realm, each.client_id, each.api_key) for each in (*asked, *others.values())
    )
    if mistakes:
        raise ConfigurationError(mistakes)
    return replace(settings, others=others)


def _account(base: Settings, env: Mapping[str, str], entries: list[ModelEntry], mistakes: list[str]) -> Settings:
    """`base` with what one account sets; `entries` are those that it has to answer."""
    agent_ids, api_key = read_agent_ids(env, mistakes), read_api_key(env, mistakes)
    has_key = bool(api_key or env.get(API_KEY_VARIABLE))
    needed = check(entries, agent_ids, has_key=has_key, mistakes=mistakes, in_process=base.in_process)
    realm, client_id, secret = read_credentials(env, mistakes, needed=needed)
    return replace(
        base,
        realm=realm,
        client_id=client_id,
        client_secret=secret,
        api_key=api_key,
        agent_ids=agent_ids,
        quota=read_quota(env, mistakes),
    )


def _other(
    name: str, base: Settings, env: Mapping[str, str], entries: Iterable[ModelEntry], mistakes: list[str]
) -> Settings:
    """The settings of an account beside the default one."""
    if taken := sorted({*KNOWN, CLIENTS_KEY} & {*accounts.variables(name)}):
        mistakes.append(
            f"No account can have the name {name} ({accounts.OPTION}): {taken[0]} is a setting of the default one."
        )
        return base
    own = accounts.environment_of(name, env)
    found: list[str] = []
    settings = _account(base, own, [entry for entry in entries if entry.account == name], found)
    if own["STACKSPOT_UPLOADS"].lower() not in SWITCH_VALUES:
        found.append("STACKSPOT_UPLOADS must be true or false.")
    mistakes += accounts.mistakes_of(name, found, env)
    return replace(settings, account=name, uploads=own["STACKSPOT_UPLOADS"].lower() == "true")


def log_level(environ: Mapping[str, str]) -> int | None:
    """The level that STACKSPOT_LOG_LEVEL asks for, or None."""
    name = environ.get("STACKSPOT_LOG_LEVEL", "").strip().upper()
    return logging.getLevelNamesMapping()[name] if name in LOG_LEVELS else None


def _unknown(environ: Mapping[str, str], known: Collection[str], named: list[str], names: Collection[str]) -> list[str]:
    """Mistakes for names that were meant for the gateway; `named` are those that the configuration introduces.

    `names` are the accounts that it names.
    """
    allowed = {*known, CLIENTS_KEY, *named}
    return [
        f"{name} is not a setting of the gateway{_of_no_account(name, names)}{suggestion(name, known)}"
        for name, value in environ.items()
        if value and name not in allowed and name.upper().startswith(PREFIX.removesuffix("_"))
    ]


def _of_no_account(variable: str, names: Iterable[str]) -> str:
    stranger = accounts.stranger(variable, names)
    return f", as no model names an account {stranger} ({accounts.OPTION})" if stranger else ""


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
