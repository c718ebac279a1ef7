"""Where traces go: OpenTelemetry's own variables, which operators of a collector know."""

from collections.abc import Mapping
from urllib.parse import urlsplit

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


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
