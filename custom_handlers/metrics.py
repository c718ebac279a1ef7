"""What telemetry tells, as Prometheus metrics: in the registry, and so on the port, of LiteLLM's own.

Not to be imported before LiteLLM has set PROMETHEUS_MULTIPROC_DIR, as prometheus_client reads it at its import. Then
several workers share their numbers through files. docs/monitoring.md has the table of these metrics.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from custom_handlers.core import telemetry
from custom_handlers.core.errors import error_outcomes
from custom_handlers.core.models import MODELS
from custom_handlers.litellm_adapter import process, redis_client
from custom_handlers.pacing.quota import Quota, Status

logger = logging.getLogger("stackspot_config")

# Seconds: until a turn, and until StackSpot has answered.
QUEUE_BUCKETS = (0.1, 0.5, 1, 2, 5, 10, 20, 30, 45, 60, 120)
UPSTREAM_BUCKETS = (0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 180, 300, 600)
PACE_SECONDS = 5.0
DEFAULT_ACCOUNT = "default"

# By account, the default one as ""; None where nothing is paced.
Look = Callable[[], Awaitable[Mapping[str, tuple[Quota, Status] | None]]]

_following: asyncio.Task[None] | None = None


def start(look: Look) -> None:
    """Counts what happens in this process from now on; safe to call again. To be called in its event loop."""
    global _following
    if _following is None:
        metrics = Metrics(shared=redis_client.is_configured(), workers=process.workers())
        telemetry.subscribe(metrics.count)
        _following = asyncio.get_running_loop().create_task(metrics.follow(look))


class Metrics:
    """`shared`: all workers pace together, so that each of them knows the whole of it, and not a part."""

    def __init__(self, registry: CollectorRegistry = REGISTRY, *, shared: bool = False, workers: int = 1) -> None:
        self._shared, self._workers = shared, workers

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"stackspot_{name}", what, labels, registry=registry)

        def gauge(name: str, what: str) -> Gauge:
            mode = "livemostrecent" if shared else "livesum"
            return Gauge(f"stackspot_{name}", what, ("account",), registry=registry, multiprocess_mode=mode)  # type: ignore[arg-type]

        self._requests = counter("requests", "Calls of a model that have ended", "model", "outcome")
        self._tokens = counter("tokens", "Tokens of calls that have ended, by how they ended", "model", "outcome")
        self._queue = Histogram(
            "stackspot_queue_seconds", "Waited for a turn, each call", buckets=QUEUE_BUCKETS, registry=registry
        )
        self._key_queue = counter("key_queue_seconds", "Waited for a turn, by key", "api_key_alias")
        self._upstream = Histogram(
            "stackspot_upstream_seconds",
            "From a request to StackSpot to its answer's first text, or to its end",
            ("model", "until"),
            buckets=UPSTREAM_BUCKETS,
            registry=registry,
        )
        self._asked = counter("upstream_requests", "HTTP requests to StackSpot", "service", "outcome")
        self._corrections = counter("corrections", "Answers that had to be written again", "reason")
        self._tool_calls = counter("tool_calls", "Tool calls that models wrote", "outcome")
        self._renewals = counter("token_renewals", "Access tokens asked for", "outcome")
        self._pace = gauge("pace_requests_per_minute", "The pace at which requests go to StackSpot")
        self._limit = gauge("limit_requests_per_minute", "What the account may ask, as configured; 0 is no limit")
        self._last_minute = gauge("last_minute_requests", "Requests that went in the last minute")
        self._waiting = gauge("waiting_requests", "Requests that wait for their turn")
        self._begin()

    def _begin(self) -> None:
        """Series that are there from the start: Prometheus sees no increase in one that begins at 1."""
        ends = (telemetry.ANSWERED, telemetry.LEFT, *error_outcomes())
        for model in MODELS:
            for outcome in ends:
                self._requests.labels(model, outcome)
            for outcome in (telemetry.ANSWERED, telemetry.LEFT):
                self._tokens.labels(model, outcome)
        for outcome in (telemetry.ANSWERED, *error_outcomes()):
            self._asked.labels("agents", outcome)
            self._renewals.labels(outcome)
        for reason in (telemetry.BAD_CALL, telemetry.NO_CALL, telemetry.BAD_JSON, telemetry.NO_ANSWER):
            self._corrections.labels(reason)
        for outcome in (
            telemetry.VALID,
            telemetry.CORRECTED,
            telemetry.UNFIT,
            telemetry.LOST,
            telemetry.NATIVE,
        ):
            self._tool_calls.labels(outcome)

    def count(self, happening: telemetry.Happening) -> None:
        match happening:
            case telemetry.RequestFinished():
                self._finished(happening)
            case telemetry.UpstreamAsked():
                self._asked.labels(happening.service, happening.outcome).inc()
            case telemetry.UpstreamAnswered(model, first, total):
                if first is not None:
                    self._upstream.labels(model, "first").observe(first)
                self._upstream.labels(model, "end").observe(total)
            case telemetry.CorrectionAsked(reason):
                self._corrections.labels(reason).inc()
            case telemetry.ToolCalled(outcome):
                self._tool_calls.labels(outcome).inc()
            case telemetry.TokenRenewed(outcome):
                self._renewals.labels(outcome).inc()

    def _finished(self, request: telemetry.RequestFinished) -> None:
        self._requests.labels(request.model, request.outcome).inc()
        if request.tokens:
            self._tokens.labels(request.model, request.outcome).inc(request.tokens)
        self._queue.observe(request.waited)
        if request.waited:
            self._key_queue.labels(request.key).inc(request.waited)

    async def follow(self, look: Look) -> None:
        """Keeps the gauges of each account's pace up to date."""
        while True:
            try:
                found = await look()
            except Exception as error:
                logger.debug("The pace could not be looked at (%s).", type(error).__name__)
            else:
                for account, pace in found.items():
                    self.show(account, pace)
            await asyncio.sleep(PACE_SECONDS)

    def show(self, account: str, found: tuple[Quota, Status] | None) -> None:
        name = account or DEFAULT_ACCOUNT
        if found is None:
            self._limit.labels(name).set(0)
            return
        quota, status = found
        # A worker that paces alone while Redis is away knows its own part only; without Redis the parts are added up.
        part = 1 if status.shared == self._shared else self._workers
        whole = 1 if self._shared else self._workers
        self._limit.labels(name).set(quota.per_minute / whole)
        self._pace.labels(name).set(status.rate * part)
        self._last_minute.labels(name).set(status.gone * part)
        self._waiting.labels(name).set(status.waiting * part)
