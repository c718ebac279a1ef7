"""Finds misspelt settings in .env and in the environment: what has no effect would be missed later.

Needs nothing but Python, as `make up` does: `python -m gateway.names` checks the files of the Docker stack.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from custom_handlers.config.accounts import named_in, variables
from custom_handlers.config.spelling import SURE, nearest, suggestion
from gateway.environment import belongs, passed_on
from gateway.project import ROOT

EXAMPLE = ROOT / ".env.example"
CONFIGURATIONS = ("litellm_config.yaml", "config.yaml")  # in a checkout, in the container
OWN = ("GATEWAY_", "KEY_")  # prefixes that nobody else is expected to put into .env
ACCOUNTS = "accounts.env"
FOREIGN = ("COMPOSE_", "DOCKER_", "BUILDKIT_")
# Told in words in .env.example, or for tests and clients only.
MORE = (
    "STACKSPOT_CLIENT_KEY",
    "STACKSPOT_GATEWAY_KEY",
    "GATEWAY_KEY",
    "KEY_MODELS",
    "GATEWAY_ENV_FILE",
    "DATABASE_URL",
)


def known() -> tuple[str, ...]:
    """Every setting that .env.example documents, and the few that it tells in words."""
    text = EXAMPLE.read_text(encoding="utf-8")
    return (*re.findall(r"^#?([A-Z][A-Z0-9_]*)=", text, re.MULTILINE), *MORE)


def named_in_configuration(config: Path | None = None) -> set[str]:
    """The variables that litellm_config.yaml takes values from."""
    text = configuration(config)
    return set(re.findall(r"os\.environ/(\w+)", re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)))


def of_accounts(config: Path | None = None) -> tuple[str, ...]:
    """The variables of the accounts that litellm_config.yaml names beside the default one."""
    return tuple(name for account in named_in(configuration(config)) for name in variables(account))


def configuration(config: Path | None = None) -> str:
    """The text of litellm_config.yaml, which has another name in the container; empty where there is none."""
    for path in [config] if config else [ROOT / name for name in CONFIGURATIONS]:
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            continue
    return ""


def misspelt(in_file: Collection[str], environ: Mapping[str, str], prefixes: tuple[str, ...] = ()) -> list[str]:
    """A sentence for each name that is no setting but was meant for one; with `prefixes`, only for names like those.

    In .env every name with a prefix of ours is ours. In the environment only a near miss is: other programs use it too.
    """
    settings = (*known(), *of_accounts())
    wanted = [name for name in settings if name.startswith(prefixes)] if prefixes else settings
    ours = prefixes or (*OWN, "STACKSPOT")
    allowed = {*settings, *passed_on(environ), *named_in_configuration()}
    found = []
    for name in dict.fromkeys([*in_file, *(name for name in environ if name.startswith(OWN))]):
        if name in allowed or name.startswith(FOREIGN):
            continue
        is_ours = name.upper().startswith(ours)
        if (is_ours and name in in_file) or ((is_ours or not belongs(name)) and nearest(name, wanted, SURE)):
            found.append(f"{name} is not a setting of the gateway{suggestion(name, wanted)}")
    return found


def main(file: Path) -> int:
    if not file.exists():
        print("There is no .env. Make one with: make env", file=sys.stderr)
        return 1
    found: list[list[str]] = []
    for path in (file, file.with_name(ACCOUNTS)):
        try:
            text = path.read_text(encoding="utf-8-sig") if path.exists() else ""
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or "it is no UTF-8 text"
            print(f"{path.name} cannot be read: {why}.", file=sys.stderr)
            return 1
        found.append(re.findall(r"^\s*(?:export\s+)?(\w+)\s*=", text, re.MULTILINE))
    mistakes = misspelt([name for names in found for name in names], {})
    mistakes += [
        f"{name} stands in .env: the Docker stack takes the variables of other accounts from {ACCOUNTS}."
        for name in found[0]
        if name in of_accounts()
    ]
    for mistake in mistakes:
        print(mistake, file=sys.stderr)
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main(Path(os.environ.get("GATEWAY_ENV_FILE") or ROOT / ".env")))
