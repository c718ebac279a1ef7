"""Where the gateway's files are: a checkout on the host, or the folders that the container is given of it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

from gateway.failures import GatewayError

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
# LiteLLM's command, to be run in ROOT.
PROXY = (sys.executable, "-m", "custom_handlers.proxy")


def on_host() -> bool:
    """Whether this is a checkout; the container is given the code alone."""
    return (ROOT / "docker-compose.yml").is_file()


def require_host(what: str) -> None:
    """Raises Failure in the container, which has none of the project's files for this."""
    if not on_host():
        raise GatewayError(f"`{what}` is for the host: run it in the gateway's own folder, not in the container.")


def require_module(name: str) -> ModuleType:
    """A module that needs the whole installation, which a team with Docker does not have. Raises Failure."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("gateway", "database", "custom_handlers"):
            raise
        raise GatewayError(
            f"This needs the whole installation, which lacks {error.name} here: run `make install`."
        ) from None
