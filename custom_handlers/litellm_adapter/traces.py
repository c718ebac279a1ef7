"""Traces: LiteLLM's OpenTelemetry callback, with a span for each request to StackSpot, and nothing of any content.

LiteLLM leaves prompts and answers out on request, and still exports what errors quote, a client's metadata, headers and
tracebacks. So what leaves is chosen here, span by span: names and values that are known to hold no content.

Imported only where traces are on: OpenTelemetry is not needed otherwise.
"""

import logging
import re
from collections.abc import Sequence
from typing import Any

import litellm
from litellm.integrations.opentelemetry import OpenTelemetry, OpenTelemetryConfig
from litellm.litellm_core_utils.litellm_logging import _in_memory_loggers
from litellm.types.services import ServiceTypes
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode

from custom_handlers import version
from custom_handlers.core import telemetry, tracing
from custom_handlers.core.errors import StackSpotError, outcome_of
from custom_handlers.core.shown import shown

OURS = "stackspot."
_SCOPE = "stackspot-gateway"
_NAMES = {
    *("Received Proxy Server Request", "Failed Proxy Server Request", "litellm_request", "guardrail"),
    *(service.value for service in ServiceTypes),
}
_ATTRIBUTES = re.compile(
    r"gen_ai\.(usage|cost)\.\w+|gen_ai\.(request|response)\.model|gen_ai\.request\.(max_tokens|temperature|top_p)"
    r"|gen_ai\.(system|response\.id)|llm\.is_streaming|litellm\.(call_id|preprocessing\.duration_ms)"
    r"|http\.(route|response\.status_code)|error\.(code|type)|service|call_type|db\.(system|operation)(\.name)?"
    rf"|metadata\.user_api_key_(alias|team_alias)|{re.escape(OURS)}[\w.]+"
)


_providers: list[TracerProvider] = []  # one at most


class SiftedExporter(SpanExporter):
    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_sifted(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def start() -> None:
    """Exports to where OTEL_EXPORTER_OTLP_ENDPOINT says, with OTEL_EXPORTER_OTLP_HEADERS, over HTTP."""
    resource = Resource.create({"service.name": _SCOPE, "service.version": version.__version__})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(SiftedExporter(OTLPSpanExporter())))
    # Not the process's: FastAPI's instrumentation, which LiteLLM brings along, would tell everything a second time.
    _providers.append(provider)
    # LiteLLM ends a failed request's span more than once, and each time a warning would be logged.
    logging.getLogger("opentelemetry.sdk.trace").setLevel(logging.ERROR)
    # With a provider of its own LiteLLM takes nothing else from its configuration: no metrics and no log events.
    callback = OpenTelemetry(config=OpenTelemetryConfig(), tracer_provider=provider, message_logging=False)
    _in_memory_loggers.append(callback)  # so that `otel` among the callbacks means this one
    litellm.logging_callback_manager.add_litellm_callback(callback)


class Trace:
    """The trace of a request: `parent` is the proxy's span of it."""

    def __init__(self, parent: Any) -> None:
        self._context = trace.set_span_in_context(parent)
        provider = _providers[-1] if _providers else trace.get_tracer_provider()
        self._tracer = provider.get_tracer(_SCOPE, version.__version__)

    def begin(self, name: str) -> tracing.Span:
        kind = SpanKind.INTERNAL if name == tracing.TURN else SpanKind.CLIENT
        return _Span(self._tracer.start_span(name, self._context, kind))


class _Span:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def set(self, name: str, value: tracing.Value) -> None:
        self._span.set_attribute(f"{OURS}{name}", value)

    def end(self, error: BaseException | None = None) -> None:
        if not self._span.is_recording():
            return
        if isinstance(error, GeneratorExit):  # its reader had all that it wanted
            error = None
        outcome = outcome_of(error) if isinstance(error, StackSpotError) else telemetry.LEFT
        self.set("outcome", outcome if error else telemetry.ANSWERED)
        self._span.set_status(StatusCode.ERROR if isinstance(error, StackSpotError) else StatusCode.OK)
        self._span.end()


def _sifted(span: ReadableSpan) -> ReadableSpan:
    """`span` without events and links, which hold errors' texts."""
    attributes = {
        name: shown(value) if isinstance(value, str) else value
        for name, value in (span.attributes or {}).items()
        if _ATTRIBUTES.fullmatch(name)
    }
    ours = span.instrumentation_scope is not None and span.instrumentation_scope.name == _SCOPE
    return ReadableSpan(
        name=span.name if ours or span.name in _NAMES else "other",
        context=_bare(span.context),
        parent=_bare(span.parent),
        resource=span.resource,
        attributes=attributes,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _bare(context: trace.SpanContext | None) -> trace.SpanContext | None:
    """Without what other systems have written beside the trace's number."""
    if context is None:
        return None
    return trace.SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)
