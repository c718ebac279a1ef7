"""Which variables of the user's reach a process: an allow-list, so that no other vendor's key reaches the gateway.

LiteLLM takes every vendor's credentials from its environment, and there are requests that would use them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from custom_handlers.http.network import exempt_loopback

HAND_ON = "GATEWAY_PASS_ENV"  # names that an operator hands on besides, for a second provider
# The machine: where programs and homes are, how to speak, and the way to the internet.
_SYSTEM = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|PWD|LANG|LANGUAGE|LC_\w+|TZ|TERM|COLORTERM|NO_COLOR|FORCE_COLOR|COLUMNS|LINES"
    r"|TMPDIR|TEMP|TMP|XDG_\w+|LD_LIBRARY_PATH|DYLD_\w+|PYTHON\w*|VIRTUAL_ENV|MALLOC_\w+|CI|HYPOTHESIS_PROFILE"
    r"|(HTTP|HTTPS|ALL|NO|FTP)_PROXY|(http|https|all|no|ftp)_proxy"
    r"|SSL_CERT_FILE|SSL_CERT_DIR|SSL_VERIFY|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NODE_EXTRA_CA_CERTS|CA_BUNDLE"
    r"|PRISMA_\w+|NODE_OPTIONS|npm_config_\w+|NPM_CONFIG_\w+|PIP_\w+|UV_\w+|GATEWAY_ENV_FILE"
)
# The gateway: its own settings and LiteLLM's that concern neither a provider nor its credentials.
_GATEWAY = re.compile(
    r"STACKSPOT_\w+|stackspot_\w+|GATEWAY_\w+|KEY_\w+|UI_\w+|DATABASE_\w+|DIRECT_URL|REDIS_\w+|POSTGRES_PASSWORD"
    r"|GRAFANA_\w+|COMPOSE_PROFILES"
    r"|LITELLM_(MASTER_KEY|SALT_KEY|LOG|MODE|LOCAL_\w+|LICENSE|UI_\w+|MIGRATION_DIR|MIGRATE_FROM_MASTER_KEY"
    r"|DANGEROUSLY_\w+|CORS_\w+|ENABLE_HSTS|DISABLE_\w+|KEY_ROTATION_\w+|RATE_LIMIT_\w+|TPM_\w+|PGBOUNCER_\w+"
    r"|ADMIN_\w+|FAVICON_URL|DETAILED_TIMING|NON_ROOT|ASSETS_PATH|EXTERNAL_URL)"
    r"|STORE_\w+|PROXY_(BASE_URL|ADMIN_ID|LOGOUT_URL|BATCH_\w+)|SERVER_ROOT_PATH|ROOT_REDIRECT_URL|DISABLE_\w+"
    r"|NO_(DOCS|REDOC|OPENAPI)|DOCS_\w+|JSON_LOGS|NUM_WORKERS|TIMEOUT_WORKER_HEALTHCHECK|GRACEFUL_SHUTDOWN_TIMEOUT"
    r"|SPEND_LOG\w*|MAX_STRING_LENGTH\w*|USE_V2_MIGRATION_RESOLVER|ALLOWED_EMAIL_DOMAINS|AIOHTTP_\w+"
    r"|OTEL_EXPORTER_OTLP_(ENDPOINT|HEADERS)"
)
# LiteLLM would read the .env of the folder by itself, past all that is decided here.
_ALWAYS = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION", "PYTHONUNBUFFERED": "1"}
_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The machine's part of this process's environment, nothing that would configure a gateway, and `extra`."""
    kept = {name: value for name, value in os.environ.items() if _SYSTEM.fullmatch(name)}
    return _completed({**kept, **extra})


def for_gateway(environ: Mapping[str, str]) -> dict[str, str]:
    """What of `environ` a gateway gets that a user runs with settings of his own."""
    named = passed_on(environ)
    return _completed({name: value for name, value in environ.items() if belongs(name) or name in named})


def belongs(name: str) -> bool:
    """Whether a variable is the machine's or the gateway's."""
    return bool(_SYSTEM.fullmatch(name) or _GATEWAY.fullmatch(name))


def passed_on(environ: Mapping[str, str]) -> list[str]:
    """The names in GATEWAY_PASS_ENV."""
    return environ.get(HAND_ON, "").replace(",", " ").split()


def left_out(names: Iterable[str], environ: Mapping[str, str]) -> list[str]:
    """Those of `names` that a gateway does not get."""
    passed = passed_on(environ)
    return [name for name in names if name in environ and not belongs(name) and name not in passed]


def _completed(environ: Mapping[str, str]) -> dict[str, str]:
    complete = {**_ALWAYS, **environ, **exempt_loopback(environ)}
    if bundle := complete.pop("CA_BUNDLE", ""):
        complete = {**dict.fromkeys(_CERTIFICATES, bundle), **complete}
    return complete
