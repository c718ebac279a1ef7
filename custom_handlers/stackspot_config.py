"""Configures the StackSpot provider, for the proxy and for LiteLLM used in-process.

`python -m custom_handlers.stackspot_config --config litellm_config.yaml` checks a configuration and starts nothing.
"""

import argparse
import logging
import os
import sys
from pathlib import Path

from custom_handlers import version
from custom_handlers.config.settings import Settings, log_level, read
from custom_handlers.config.stored_responses import MINUTES
from custom_handlers.core.errors import ConfigurationError
from custom_handlers.http.network import certificate_mistakes, exempt_loopback
from custom_handlers.litellm_adapter import error_lines, logs, process, redis_client

logger = logging.getLogger("stackspot_config")

EXIT_CONFIG = 78  # EX_CONFIG of sysexits.h

_current: Settings | None = None


def configure_stackspot() -> None:
    """Makes the StackSpot models known to LiteLLM in this process, from the environment; safe to call again.

    Afterwards `litellm.completion` and its siblings take the three model names and their aliases. Raises
    ConfigurationError, a ValueError, with every mistake in the environment.
    """
    from custom_handlers.litellm_adapter import registration  # LiteLLM takes seconds to import: the check does without

    _configure(None)
    registration.register()


def configure_proxy() -> None:
    """The same for a worker of the proxy, which does the registration itself.

    With a wrong configuration the proxy's own process ends here, and its supervisor with it: the message is the last
    thing printed. Whoever else imports the entry gets the ConfigurationError.
    """
    if _current is not None:
        return
    if not process.under_way():
        _configure(None)
        return
    logs.log_like_litellm(logger, log_level(os.environ) or logging.INFO)
    error_lines.shorten()
    os.environ.update(exempt_loopback(os.environ))  # LiteLLM asks its own database engine on loopback
    try:
        _configure(process.config())
    except ConfigurationError as error:
        process.end(str(error))


def current() -> Settings:
    """The settings in force. Raises ConfigurationError when nothing configured them."""
    if _current is None:
        raise ConfigurationError(["configure_stackspot() has not been called."])
    return _current


def _configure(config: Path | None) -> None:
    global _current
    try:
        settings = _checked(config)
    except ConfigurationError as error:
        logger.debug("StackSpot configuration refused: %d mistakes", len(error.mistakes))
        raise
    logger.debug("StackSpot credentials are well-formed (client key: %s, API key: %s)", *_present(settings))
    logger.info(
        "StackSpot configured (gateway %s): agents for %s; key API %s",
        version.__version__,
        ", ".join(settings.agent_ids) or "no model",
        "available" if settings.api_key else "not used",
    )
    if settings != _current:  # the same account keeps its token
        _current = settings


def _present(settings: Settings) -> tuple[str, str]:
    return ("set" if settings.client_secret else "not set", "set" if settings.api_key else "not set")


def _checked(config: Path | None) -> Settings:
    mistakes = certificate_mistakes(os.environ)
    if os.environ.get(MINUTES, "").strip(" 0") and process.workers() > 1 and not redis_client.is_configured():
        mistakes.append(f"{MINUTES} with several workers needs Redis (REDIS_HOST): they would not find each other's.")
    try:
        settings = read(os.environ, config)
    except ConfigurationError as error:
        raise ConfigurationError([*error.mistakes, *mistakes]) from None
    if mistakes:
        raise ConfigurationError(mistakes)
    return settings


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m custom_handlers.stackspot_config", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("litellm_config.yaml"), help="LiteLLM's configuration file")
    try:
        _configure(parser.parse_args().config)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return EXIT_CONFIG
    return 0


if __name__ == "__main__":
    sys.exit(main())
