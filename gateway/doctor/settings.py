"""Every setting with where its value came from. What may be a secret is present or missing, and never shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from custom_handlers.config.accounts import NEEDED, named_in, prefix
from custom_handlers.config.addresses import DEFAULT_ADDRESSES
from custom_handlers.core.models import AGENT_VARIABLES, is_ulid
from gateway.names import EXAMPLE, configuration, known

_OURS = re.compile(r"(STACKSPOT|GATEWAY|LITELLM|DATABASE|REDIS|UI|KEY)_[A-Z0-9_]+")
_SECRET = re.compile(r"\w*(SECRET|PASSWORD|(?<!COST_PER_)TOKEN|_KEY|CLIENT_ID)|DATABASE_URL|DIRECT_URL")
# The way out is the machine's as well; programs differ in which spelling they read.
WAY_OUT = (
    *("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "all_proxy", "no_proxy"),
    *("CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_VERIFY"),
)
_STORES = ("DATABASE_URL", "DATABASE_HOST", "REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD")
_NEEDED = ("STACKSPOT_REALM", "STACKSPOT_CLIENT_ID", "STACKSPOT_CLIENT_SECRET", "STACKSPOT_AGENT_ID")
_WITHOUT_DEFAULT = re.compile(
    r"(?i:\w*_proxy)|CA_BUNDLE|SSL_\w+|KEY_\w+|OTEL_\w+|\w+_(AGENT_ID|HOST|FILE|PASS_ENV)|GATEWAY_URL"
)
# What a value has to look like to be shown: something else may be a secret in the wrong line.
_SHOWN = (
    (
        re.compile(r"KEY_\w+|\w+_(PORT|WORKERS|MEMORY|MINUTE|SECONDS|BURST|QUEUE|MB|REQUEST_LOG|\w*MAX\w*)"),
        re.compile(r"[\w.]{1,9}"),
    ),
    (re.compile(r"\w+_COST_PER_TOKEN"), re.compile(r"[\d.e-]{1,20}")),
    (re.compile(r"\w*_(UPLOADS|IMAGES|CONTENT|ACCESS_LOG|LEVEL|MODE|MAP)"), re.compile(r"[A-Za-z]{1,10}")),
    (re.compile(r"\w*_(HOST|BIND)"), re.compile(r"[\w.:-]{1,100}")),
    (re.compile(r"STACKSPOT_(\w+_)?REALM"), re.compile(r"[a-z0-9.-]{1,40}")),
)


@dataclass(frozen=True)
class Setting:
    name: str
    source: str  # environment, a file, default; not set, or missing where it is needed
    shown: str


def every(files: Mapping[str, Mapping[str, str]], process: Mapping[str, str]) -> list[Setting]:
    """`files` is what each file sets, by its name; a later one wins, and the environment, `process`, over all."""
    source = {name: file for file, values in files.items() for name in values}
    in_file = {name: value for values in files.values() for name, value in values.items()}
    accounts = named_in(configuration())
    needed = {*_NEEDED, *(f"{prefix(account)}{name}" for account in accounts for name in NEEDED)}
    # An account that answers by key alone needs no more than the key.
    by_key = [account for account in accounts if process.get(key := f"{prefix(account)}API_KEY") or in_file.get(key)]
    needed -= {f"{prefix(account)}{name}" for account in by_key for name in NEEDED}
    documented = known() if EXAMPLE.exists() else (*_NEEDED, *AGENT_VARIABLES.values(), *DEFAULT_ADDRESSES)
    names = dict.fromkeys([*documented, *sorted(name for name in needed if name not in documented), *_STORES])
    names |= dict.fromkeys(name for name in WAY_OUT if process.get(name) or in_file.get(name))
    names |= dict.fromkeys(sorted(name for name in {*in_file, *process} if _OURS.fullmatch(name)))
    found = []
    for name in names:
        in_process = process.get(name, "")
        if value := in_process or in_file.get(name, ""):
            found.append(Setting(name, "environment" if in_process else source[name], _shown(name, value)))
        else:
            found.append(_unset(name, needed=name in needed))
    return found


def _unset(name: str, *, needed: bool) -> Setting:
    if name in DEFAULT_ADDRESSES:
        return Setting(name, "default", DEFAULT_ADDRESSES[name])
    if _SECRET.fullmatch(name) or needed:
        return Setting(name, "missing", "")
    return Setting(name, "not set" if _WITHOUT_DEFAULT.fullmatch(name) else "default", "")


def _shown(name: str, value: str) -> str:
    if _SECRET.fullmatch(name):
        return "present"
    if name.endswith("AGENT_ID"):
        return value if is_ulid(value) else "present"
    if re.fullmatch(r"https?://[\w.:\[\]-]+(/[\w./-]{0,60})?", value):
        return value  # an address without user, password or query
    if name in ("CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR") and value.startswith("/"):
        return value
    fits = any(names.fullmatch(name) and form.fullmatch(value) for names, form in _SHOWN)
    return value if fits else "present"
