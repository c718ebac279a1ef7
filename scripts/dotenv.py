"""The project's `.env`, and what the gateway needs of it."""

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values


def environment(root: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`environ` plus what only `.env` sets; an empty value counts as not set."""
    from_file = {name: value for name, value in dotenv_values(root / ".env").items() if value}
    return {**from_file, **{name: value for name, value in environ.items() if value}}
