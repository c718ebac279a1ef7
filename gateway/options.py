"""The options of the commands: how each value is checked, and which of LiteLLM's fields it is."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import click

from custom_handlers.pacing.quota import LEAST_WEIGHT, MOST_WEIGHT, WEIGHT_FIELD
from gateway import spelling
from gateway.failures import InputError
from gateway.management import Gateway

DEFAULTS_PREFIX = "KEY_"
NO_LIMIT = "none"
# LiteLLM's own user, to whom the master key's calls are booked
RESERVED_NAMES = {"default_user_id", "litellm-dashboard", "litellm_proxy_master_key"}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")
_DURATION = re.compile(r"[1-9][0-9]{0,5}(s|m|h|d|w|mo)")
_MISTAKES = "gateway.mistakes"
Reader = Callable[[str, str], Any]


class Limit(Enum):
    NONE = NO_LIMIT  # lifted, which is something else than not given


def read_name(label: str, value: str) -> str:
    if not _NAME.fullmatch(value) or value in RESERVED_NAMES:
        raise InputError(f"{label} is {value!r}: letters, digits and . _ @ + - make a name, and it begins with one.")
    return value


def read_count(label: str, value: str) -> int:
    if not value.isascii() or not value.isdecimal() or not 0 < int(value) < 2**31:
        raise InputError(f"{label} is {value!r}: it has to be a whole number from 1, or {NO_LIMIT}.")
    return int(value)


def read_amount(label: str, value: str) -> float:
    try:
        amount = float(value)
    except ValueError:
        amount = math.nan
    if not 0 < amount < math.inf:
        raise InputError(f"{label} is {value!r}: it has to be a number above 0, or {NO_LIMIT}.")
    return amount


def read_weight(label: str, value: str) -> float:
    weight = float(value) if re.fullmatch(r"\d{1,3}(\.\d{1,3})?", value, re.ASCII) else 0.0
    if not LEAST_WEIGHT <= weight <= MOST_WEIGHT:
        raise InputError(
            f"{label} is {value!r}: it has to be a number from {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}, or {NO_LIMIT}."
        )
    return weight


def read_duration(label: str, value: str) -> str:
    if not _DURATION.fullmatch(value):
        raise InputError(f"{label} is {value!r}: it has to be a time like 12h, 30d or 6mo, or {NO_LIMIT}.")
    return value


def read_models(label: str, value: str) -> list[str]:
    names = value.replace(",", " ").split()
    if not names:
        raise InputError(f"{label} is {value!r}: name models, with commas between them.")
    return names


# Each option that is a limit of a key or a team: LiteLLM's field, and how its value is read.
_FIELDS: dict[str, tuple[str, Reader]] = {
    "models": ("models", read_models),
    "budget": ("max_budget", read_amount),
    "period": ("budget_duration", read_duration),
    "rpm": ("rpm_limit", read_count),
    "tpm": ("tpm_limit", read_count),
    "expires": ("duration", read_duration),
}


def fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """LiteLLM's fields for the limits that were given; None lifts one."""
    return {
        field: None if given[name] is Limit.NONE else given[name]
        for name, (field, _) in _FIELDS.items()
        if given.get(name) is not None
    }


def with_weight(wanted: Mapping[str, Any], weight: Any, metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """`wanted` with the weight that was given, if any, in the `metadata` that a key or a team has."""
    if weight is None:
        return dict(wanted)
    rest = {name: value for name, value in (metadata or {}).items() if name != WEIGHT_FIELD}
    return {**wanted, "metadata": rest if weight is Limit.NONE else {**rest, WEIGHT_FIELD: weight}}


def defaults(environ: Mapping[str, str]) -> dict[str, Any]:
    """The same for KEY_BUDGET and its like. Raises InputError with every mistake."""
    found, mistakes = {}, []
    for name, (_, read) in _FIELDS.items():
        label = DEFAULTS_PREFIX + name.upper()
        if value := environ.get(label):
            try:
                found[name] = _unless_lifted(read)(label, value)
            except InputError as mistake:
                mistakes.append(str(mistake))
    if mistakes:
        raise InputError("\n".join(mistakes))
    return fields(found)


def check_models(gateway: Gateway, models: list[str] | None) -> None:
    """A name that the gateway does not have is a typing error that the developer would find out about."""
    known = gateway.model_names()
    unknown = [name for name in models or [] if name not in known]
    if unknown:
        raise InputError(f"The gateway has no model {', '.join(unknown)}; it has {', '.join(sorted(known))}.")


class Value(click.ParamType):  # type: ignore[type-arg]  # not generic in the click of older images
    """A value that `read` checks. A mistake is noted, so that all of a command line are told at once."""

    def __init__(self, name: str, read: Reader) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        name = (param.name if param else None) or self.name
        label = name.upper() if isinstance(param, click.Argument) else spelling.option(name)
        try:
            return self._read(label, value)
        except InputError as mistake:
            _note(ctx, str(mistake))
            return None


class Name(click.Argument):
    """The name of a key or a team; `example` is a command with one, in both spellings."""

    def __init__(self, words: list[str], *, whose: str, example: tuple[str, str]) -> None:
        super().__init__(words, required=False, type=Value("name", read_name), metavar="NAME")
        self._whose, self._example = whose, example

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        name = super().process_value(ctx, value)
        if not isinstance(name, str) and not isinstance(value, str):
            _note(ctx, f"NAME is missing: say {self._whose}, as in {spelling.command(*self._example)}.")
        return name


class Command(click.Command):
    """A command that is not begun while anything on its command line is wrong."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, args)
        if mistakes := ctx.meta.pop(_MISTAKES, None):
            raise InputError("\n".join(mistakes))
        return rest


class Group(click.Group):
    """Commands of one kind; without a word behind it, its help."""

    command_class = Command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, args)


def limits(*, expires: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options that limit a key or a team."""
    found = [
        _limit(
            "budget", "UNITS", f"What may be spent in a period: millions of tokens at the default price, or {NO_LIMIT}."
        ),
        _limit("period", "TIME", f"After which the budget is new: 12h, 30d, 6mo, or {NO_LIMIT}."),
        _limit("rpm", "N", f"Requests a minute, or {NO_LIMIT}."),
        _limit("tpm", "N", f"Tokens a minute, or {NO_LIMIT}."),
        _limit("models", "A,B", f"The models that may be used, with commas between them, or {NO_LIMIT}."),
    ]
    if expires:
        found.append(_limit("expires", "TIME", f"How long the key lives: 12h, 30d, 6mo, or {NO_LIMIT}."))

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(found):
            function = option(function)
        return function

    return decorate


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for a script.")


weight_option = click.option(
    "--weight",
    type=Value("weight", lambda label, value: _unless_lifted(read_weight)(label, value)),
    metavar="N",
    help=f"Its share of the account while others wait: 2 is twice as much as 1, which {NO_LIMIT} means.",
)


def _limit(name: str, metavar: str, text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    read = _unless_lifted(_FIELDS[name][1])
    return click.option(f"--{name}", type=Value(name, read), metavar=metavar, help=text)


def _unless_lifted(read: Reader) -> Reader:
    return lambda label, value: Limit.NONE if value == NO_LIMIT else read(label, value)


def _note(ctx: click.Context | None, mistake: str) -> None:
    if ctx is None:
        raise InputError(mistake)
    if not ctx.resilient_parsing:
        ctx.meta.setdefault(_MISTAKES, []).append(mistake)
