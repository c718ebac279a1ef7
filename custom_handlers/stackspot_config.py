"""Configures the StackSpot provider, for the proxy and for LiteLLM used in-process.

`python -m custom_handlers.stackspot_config --config litellm_config.yaml` checks a configuration and starts nothing.
"""

import argparse
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import litellm
from litellm._logging import JsonFormatter

from custom_handlers import registration
from custom_handlers.settings import Deployment, Settings, log_level, read_deployments, read_settings
from custom_handlers.wire.errors import ConfigurationError

logger = logging.getLogger("stackspot_config")

EXIT_CONFIG = 78  # EX_CONFIG of sysexits.h
EXIT_STARTUP = 3  # uvicorn's STARTUP_FAILURE: its supervisor then stops instead of starting the worker again

_current: Settings | None = None


def configure_stackspot() -> None:
    """Makes the StackSpot models known to LiteLLM in this process, from the environment; safe to call again.

    Afterwards `litellm.completion` and its siblings take the three model names and their aliases. Raises
    ConfigurationError, a ValueError, with every mistake in the environment.
    """
    _configure(None)
    registration.register()


def configure_proxy() -> None:
    """The same for a worker of the proxy, which does the registration itself.

    With a wrong configuration the process ends here, and its supervisor with it: the message is the last thing told.
    """
    if _current is not None:
        return
    _log_like_litellm()
    try:
        config = getattr(sys.modules.get("litellm.proxy.proxy_server"), "user_config_file_path", None)
        _configure(read_deployments(Path(config)) if config else None)
    except ConfigurationError as error:
        _stop(error)


def _log_like_litellm() -> None:
    """The proxy's own loggers have handlers, the root logger has none: without one, nothing below WARNING is seen."""
    json_logs: bool = litellm.json_logs  # type: ignore[attr-defined]
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonFormatter() if json_logs else logging.Formatter(logging.BASIC_FORMAT)  # type: ignore[no-untyped-call]
    )
    logger.addHandler(handler)
    logger.setLevel(log_level(os.environ) or logging.INFO)
    logger.propagate = False


def current() -> Settings:
    """The settings in force. Raises ConfigurationError when nothing configured them."""
    if _current is None:
        raise ConfigurationError(["configure_stackspot() has not been called."])
    return _current


def _configure(deployments: Iterable[Deployment] | None) -> None:
    global _current
    try:
        settings = read_settings(os.environ, deployments)
    except ConfigurationError as error:
        logger.debug("StackSpot configuration refused: %d mistakes", len(error.mistakes))
        raise
    logger.debug("StackSpot credentials are well-formed (client key: %s, API key: %s)", *_present(settings))
    logger.info(
        "StackSpot configured: agents for %s; key API %s",
        ", ".join(settings.agent_ids) or "no model",
        "available" if settings.api_key else "not used",
    )
    if settings != _current:  # the same account keeps its token
        _current = settings


def _present(settings: Settings) -> tuple[str, str]:
    return ("set" if settings.client_secret else "not set", "set" if settings.api_key else "not set")


def _stop(error: ConfigurationError) -> NoReturn:
    # Not an exception: the proxy would print its traceback after the message, and its supervisor exit with 0.
    print(f"\n{error}", file=sys.stderr, flush=True)
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid == os.getppid():
        os.kill(parent.pid, signal.SIGKILL)
    os._exit(EXIT_STARTUP)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m custom_handlers.stackspot_config", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("litellm_config.yaml"), help="LiteLLM's configuration file")
    try:
        _configure(read_deployments(parser.parse_args().config))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return EXIT_CONFIG
    return 0


if __name__ == "__main__":
    sys.exit(main())
