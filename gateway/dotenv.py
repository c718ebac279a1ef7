"""The project's `.env`, `accounts.env` beside it, and what the gateway needs of them."""

import os
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from gateway.failures import InputError

ELSEWHERE = "GATEWAY_ENV_FILE"  # another file in place of .env; the tests name one, so that yours does not matter
ACCOUNTS = "accounts.env"  # what docker-compose.yml hands the gateway whole: other accounts, and other providers


def environment(root: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`environ` plus what only `.env` sets; an empty value counts as not set. Raises InputError."""
    from_file = file_values(root, environ)
    return {**from_file, **{name: value for name, value in environ.items() if value}}


def file_values(root: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What `.env` and `accounts.env` set. Raises InputError when one cannot be read as it was meant."""
    return {name: value for values in by_file(root, environ).values() for name, value in values.items()}


def by_file(root: Path, environ: Mapping[str, str] = os.environ) -> dict[str, dict[str, str]]:
    """What each of the two sets; where both do, the later one counts. Raises InputError."""
    path = root / (environ.get(ELSEWHERE) or ".env")
    return {ACCOUNTS: _values(path.with_name(ACCOUNTS)), ".env": _values(path)}


def _values(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        raise InputError(f"{path.name} cannot be read: it is no UTF-8 text.") from None
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}.") from None
    for binding in parse_stream(StringIO(text)):
        if binding.error or "\0" in binding.original.string:
            line = binding.original.line + len(binding.original.string) - len(binding.original.string.lstrip("\n"))
            raise InputError(
                f"Line {line} of {path.name} cannot be read: write NAME=value, and put a value that holds blanks, "
                "quotes, # or $ in single quotes."
            )
    return {name: value for name, value in dotenv_values(stream=StringIO(text)).items() if value}
