"""What is typed behind `make key` and `make team`, checked and turned into LiteLLM's fields."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from gateway.management import Gateway, InputError

DEFAULTS_PREFIX = "KEY_"
NO_LIMIT = "none"
# LiteLLM's own user, to whom the master key's calls are booked
RESERVED_NAMES = {"default_user_id", "litellm-dashboard", "litellm_proxy_master_key"}

_FLAGS = {"": False, "0": False, "no": False, "false": False, "1": True, "yes": True, "true": True}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")
_DURATION = re.compile(r"[1-9][0-9]{0,5}(s|m|h|d|w|mo)")


def read_name(environ: Mapping[str, str], variable: str, example: str) -> str:
    name = environ.get(variable, "")
    if not name:
        raise InputError(f"{variable} is missing: {example}")
    if not _NAME.fullmatch(name) or name in RESERVED_NAMES:
        raise InputError(f"{variable} is {name!r}: letters, digits and . _ @ + - make a name, and it begins with one.")
    return name


def read_settings(environ: Mapping[str, str], prefix: str = "") -> dict[str, Any]:
    """LiteLLM's fields for what is set; None lifts a limit. Raises InputError with every mistake."""
    given = {variable: environ[prefix + variable] for variable in _FIELDS if environ.get(prefix + variable)}
    readers = [
        lambda name=variable, value=value: (
            _FIELDS[name][0],
            None if value == NO_LIMIT else _FIELDS[name][1](prefix + name, value),
        )
        for variable, value in given.items()
    ]
    return dict(together(*readers))


def together(*readers: Callable[[], Any]) -> list[Any]:
    """What each reader returns. Raises InputError with the mistakes of all of them, each in its line."""
    found, mistakes = [], []
    for reader in readers:
        try:
            found.append(reader())
        except InputError as mistake:
            mistakes.append(str(mistake))
    if mistakes:
        raise InputError("\n".join(mistakes))
    return found


def read_flag(environ: Mapping[str, str], variable: str) -> bool:
    """Whether something is switched on. Raises InputError for what says neither."""
    value = environ.get(variable, "").strip().lower()
    if value not in _FLAGS:
        raise InputError(f"{variable} is {value!r}: it has to be 1 or 0.")
    return _FLAGS[value]


def _whole(variable: str, value: str) -> int:
    if not value.isascii() or not value.isdecimal() or not 0 < int(value) < 2**31:
        raise InputError(f"{variable} is {value!r}: it has to be a whole number from 1, or {NO_LIMIT}.")
    return int(value)


def check_models(gateway: Gateway, models: list[str] | None) -> None:
    """A name that the gateway does not have is a typing error that the developer would find out about."""
    known = gateway.model_names()
    unknown = [name for name in models or [] if name not in known]
    if unknown:
        raise InputError(f"The gateway has no model {', '.join(unknown)}; it has {', '.join(sorted(known))}.")


def _amount(variable: str, value: str) -> float:
    try:
        amount = float(value)
    except ValueError:
        amount = math.nan
    if not 0 < amount < math.inf:
        raise InputError(f"{variable} is {value!r}: it has to be a number above 0, or {NO_LIMIT}.")
    return amount


def _duration(variable: str, value: str) -> str:
    if not _DURATION.fullmatch(value):
        raise InputError(f"{variable} is {value!r}: it has to be a time like 12h, 30d or 6mo, or {NO_LIMIT}.")
    return value


def _models(variable: str, value: str) -> list[str]:
    names = value.replace(",", " ").split()
    if not names:
        raise InputError(f"{variable} is {value!r}: name models, with commas between them.")
    return names


_FIELDS: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "MODELS": ("models", _models),
    "BUDGET": ("max_budget", _amount),
    "PERIOD": ("budget_duration", _duration),
    "RPM": ("rpm_limit", _whole),
    "TPM": ("tpm_limit", _whole),
    "EXPIRES": ("duration", _duration),
}
