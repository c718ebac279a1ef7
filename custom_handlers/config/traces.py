"""Where traces go: OpenTelemetry's own variables, which operators of a collector know."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_LISTS = ("callbacks", "success_callback", "failure_callback")


def read_traces(environ: Mapping[str, str], mistakes: list[str]) -> bool:
    """Whether there are traces."""
    value = environ.get(ENDPOINT, "").strip()
    if not value:
        return False
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not value.isprintable() or " " in value:
        mistakes.append(f"{ENDPOINT} is no address of a collector for OTLP over HTTP, such as http://collector:4318.")
    return True


def callback_mistakes(litellm_settings: Any, environ: Mapping[str, str]) -> list[str]:
    """LiteLLM's own `otel` exports prompts; with the variable set, the name stands for the gateway's traces."""
    if not isinstance(litellm_settings, Mapping) or environ.get(ENDPOINT, "").strip():
        return []
    return [
        f"`otel` among `{name}` (litellm_settings) would export prompts and answers. Take it out: {ENDPOINT} alone "
        "switches traces on, without any content."
        for name in _LISTS
        if "otel" in (given if isinstance(given := litellm_settings.get(name), list) else [given])
    ]
