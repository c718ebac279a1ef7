"""From what happens to numbers: each event counts once, under one of a few labels."""

from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from custom_handlers.core import telemetry
from custom_handlers.core.events import Usage
from custom_handlers.metrics import Metrics
from custom_handlers.pacing.quota import Quota, Status

MODEL = "stackspot-ai-code"


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"stackspot_{name}", labels)


def test_each_event_is_counted_once(registry: CollectorRegistry) -> None:
    metrics = Metrics(registry)
    for happening in (
        telemetry.RequestFinished(MODEL, "answered", 3.0, 1.5, True, "ana", Usage(100, 20)),
        telemetry.RequestFinished(MODEL, "rate_limit", 60.0, 60.0, False, "ana"),
        telemetry.UpstreamAsked("agents", "rate_limit"),
        telemetry.UpstreamAnswered(MODEL, 0.3, 1.4),
        telemetry.UpstreamAnswered(MODEL, None, 200.0),
        telemetry.CorrectionAsked(telemetry.BAD_JSON),
        telemetry.ToolCalled(telemetry.LOST),
        telemetry.TokenRenewed("answered"),
    ):
        metrics.count(happening)
    found: dict[tuple[str, ...], float | None] = {
        ("requests_total", "model", MODEL, "outcome", "answered"): 1,
        ("requests_total", "model", MODEL, "outcome", "rate_limit"): 1,
        ("tokens_total", "model", MODEL, "outcome", "answered"): 120,
        ("tokens_total", "model", MODEL, "outcome", "rate_limit"): None,
        ("queue_seconds_count",): 2,
        ("queue_seconds_sum",): 61.5,
        ("queue_seconds_bucket", "le", "2.0"): 1,
        ("key_queue_seconds_total", "api_key_alias", "ana"): 61.5,
        ("upstream_requests_total", "service", "agents", "outcome", "rate_limit"): 1,
        ("upstream_seconds_count", "model", MODEL, "until", "first"): 1,
        ("upstream_seconds_sum", "model", MODEL, "until", "first"): 0.3,
        ("upstream_seconds_count", "model", MODEL, "until", "end"): 2,
        ("corrections_total", "reason", "bad_json"): 1,
        ("corrections_total", "reason", "bad_call"): 0,
        ("tool_calls_total", "outcome", "lost"): 1,
        ("token_renewals_total", "outcome", "answered"): 1,
    }
    for name, *labels in found:
        pairs = dict(zip(labels[::2], labels[1::2], strict=True))
        assert value(registry, name, **pairs) == found[(name, *labels)], (name, labels)


def test_series_are_there_before_anything_happens(registry: CollectorRegistry) -> None:
    """Prometheus sees no increase in a counter that begins at 1, and no alert would tell of the first failure."""
    Metrics(registry)
    assert value(registry, "requests_total", model=MODEL, outcome="upstream_timeout") == 0
    assert value(registry, "token_renewals_total", outcome="authentication") == 0
    assert value(registry, "corrections_total", reason=telemetry.NO_CALL) == 0


def status(**fields: Any) -> Status:
    return replace(Status(rate=50.0, waiting=6, gone=40, keys={}, last_429=None, shared=True), **fields)


@pytest.mark.parametrize(
    ("shared", "workers", "found", "told"),
    [
        # one worker, or all of them through Redis: each knows the whole
        (False, 1, (Quota(100), status(shared=False)), (100, 50, 6)),
        (True, 4, (Quota(100), status()), (100, 50, 6)),
        # without Redis each has a part, and Prometheus' client adds the parts up
        (False, 4, (Quota(100), status(rate=25.0, waiting=1, shared=False)), (25, 25, 1)),
        # Redis is away: each knows its own part alone
        (True, 4, (Quota(100), status(rate=12.5, waiting=1, shared=False)), (100, 50, 4)),
        (False, 1, None, (0, None, None)),
    ],
)
def test_the_pace_of_all_workers(
    registry: CollectorRegistry, shared: bool, workers: int, found: Any, told: tuple[float | None, ...]
) -> None:
    metrics = Metrics(registry, shared=shared, workers=workers)
    metrics.show("", found)
    names = ("limit_requests_per_minute", "pace_requests_per_minute", "waiting_requests")
    assert tuple(value(registry, name, account="default") for name in names) == told


async def test_a_pace_that_cannot_be_looked_at_is_looked_at_again(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []

    async def look() -> dict[str, tuple[Quota, Status] | None]:
        looked.append(1)
        if len(looked) == 1:
            raise OSError
        if len(looked) == 3:
            raise KeyboardInterrupt
        return {"": (Quota(100), status()), "team-b": (Quota(60), status(rate=40.0))}

    monkeypatch.setattr("custom_handlers.metrics.PACE_SECONDS", 0)
    with pytest.raises(KeyboardInterrupt):
        await Metrics(registry, shared=True).follow(look)
    assert value(registry, "pace_requests_per_minute", account="default") == 50
    assert value(registry, "pace_requests_per_minute", account="team-b") == 40
