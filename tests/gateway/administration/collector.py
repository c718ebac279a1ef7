"""A collector of traces: takes OTLP over HTTP, and keeps all that arrives."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class Seen:
    """One span as it arrived."""

    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, str]

    @classmethod
    def of(cls, span: Span) -> "Seen":
        attributes = {each.key: str(getattr(each.value, each.value.WhichOneof("value"))) for each in span.attributes}
        return cls(span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(), attributes)


class Collector:
    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.headers.append({name.lower(): value for name, value in self.headers.items()})
                collector.raw.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def spans(self, trace: str) -> list[Seen]:
        found = []
        for raw in list(self.raw):
            for resource in ExportTraceServiceRequest.FromString(raw).resource_spans:
                found += [Seen.of(span) for scope in resource.scope_spans for span in scope.spans]
        return [span for span in found if span.trace == trace]

    def wait(self, trace: str, wanted: Callable[[list[Seen]], bool], seconds: float = 60) -> list[Seen]:
        """The spans of a trace once `wanted` holds."""
        until = time.monotonic() + seconds
        while not wanted(found := self.spans(trace)):
            assert time.monotonic() < until, found
            time.sleep(0.1)
        return found
