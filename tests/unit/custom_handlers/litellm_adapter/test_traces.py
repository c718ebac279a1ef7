"""What of a span leaves the gateway: names and values on a list."""

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from tests.lazily import lazily

traces = lazily("custom_handlers.litellm_adapter.traces")

WORD = "xylophone"


def exported(name: str, attributes: dict[str, str], scope: str = "litellm") -> Sequence[ReadableSpan]:
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(traces.SiftedExporter(memory)))
    with provider.get_tracer(scope).start_as_current_span(name) as span:
        span.set_attributes(attributes)
        span.record_exception(ValueError(WORD))
        span.set_status(StatusCode.ERROR, WORD)
    return memory.get_finished_spans()


def test_only_what_is_listed_leaves() -> None:
    kept = {
        "gen_ai.request.model": "stackspot",
        "gen_ai.usage.input_tokens": "3",
        "metadata.user_api_key_alias": "ines",
    }
    dropped = dict.fromkeys(
        (
            "gen_ai.input.messages",
            "error.message",
            "metadata.requester_metadata",
            "exception",
            "hidden_params",
            "url.path",
        ),
        WORD,
    )
    [span] = exported("Received Proxy Server Request", kept | dropped)
    assert dict(span.attributes or {}) == kept
    assert (span.name, span.status.status_code, span.status.description) == (
        "Received Proxy Server Request",
        StatusCode.ERROR,
        None,
    )
    assert WORD not in span.to_json()


def test_a_clients_text_is_shortened_and_holds_no_key() -> None:
    [span] = exported("litellm_request", {"gen_ai.request.model": "x\n" * 1000 + "sk-abcdefgh"})
    [value] = (span.attributes or {}).values()
    assert len(str(value)) < 1000
    [span] = exported("litellm_request", {"gen_ai.request.model": "sk-abcdefgh"})
    assert dict(span.attributes or {}) == {"gen_ai.request.model": "sk-..."}


def test_a_name_that_a_client_has_given_is_none() -> None:
    assert [span.name for span in exported(WORD, {})] == ["other"]
    assert [span.name for span in exported("StackSpot agents", {}, "stackspot-gateway")] == ["StackSpot agents"]
