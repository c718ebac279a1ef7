"""The real Prometheus scrapes the real gateway while a team works: what it shows is what StackSpot has counted."""

import re
from collections import Counter

import httpx
import pytest

from simulator.client import Simulator
from tests.slow.monitoring.conftest import PER_MINUTE, Monitored
from tests.slow.monitoring.dashboard import panels
from tests.slow.monitoring.prometheus import Prometheus
from tests.slow.monitoring.work import END_USER, SECRET_WORD, Team, form_team
from tests.waiting import eventually

WINDOW = "60s"
# Each has as many values as the configuration, the code or the administrators give it, and a client adds none.
LABELS = {
    "account",  # names of the configuration
    *("model", "outcome", "until", "service", "reason", "le", "api_key_alias"),  # our own
    *("team_alias", "api_provider", "requested_model", "model_group", "litellm_model_name"),
    *("status_code", "exception_status", "exception_class", "pid", "rate_limit_type", "callback_name"),
}


def seen(prometheus: Prometheus, expression: str, number: float) -> None:
    eventually(lambda: prometheus.number(expression) == number, f"{expression} is {number}")


@pytest.fixture(scope="module")
def worked(monitored: Monitored, simulator_client: Simulator) -> Team:
    """Twice, so that counters rise while Prometheus looks."""
    simulator_client.reset()
    team = form_team(monitored.gateway, simulator_client)
    for _ in range(2):
        team.answered(9)
        team.tools()
        team.failures()
        team.refused()
        team.at_once(12)
        asked = 2 * 10 + 2 * 3 + 2 * 3 + 2 * 12 if team.statuses.total() > 40 else 10 + 3 + 3 + 12
        seen(monitored.prometheus, "sum(stackspot_requests_total)", asked)
    return team


def test_the_figures_are_those_of_stackspot_and_of_the_callers(
    worked: Team, monitored: Monitored, simulator_client: Simulator
) -> None:
    prometheus, requests = monitored.prometheus, simulator_client.requests()
    chats = Counter(request["status"] for request in requests if request["path"].endswith("/chat"))
    assert prometheus.by("outcome", 'stackspot_upstream_requests_total{service="agents"} > 0') == {
        "answered": chats[200],
        "rate_limit": chats[429],
        "service_unavailable": chats[503],
        "permission_denied": chats[403],
    }
    renewals = [request for request in requests if request["path"].endswith("/oidc/oauth/token")]
    assert prometheus.number("sum(stackspot_token_renewals_total)") == len(renewals)
    ends = prometheus.by("outcome", "sum by (outcome) (stackspot_requests_total) > 0")
    assert ends == {"answered": worked.statuses[200], "invalid_response": 2, "permission_denied": 2}
    assert worked.statuses[502] == 4
    assert prometheus.by("reason", "stackspot_corrections_total > 0") == {"bad_call": 4}
    assert prometheus.by("outcome", "stackspot_tool_calls_total > 0") == {"valid": 2, "corrected": 2, "lost": 2}
    assert prometheus.number("max(stackspot_limit_requests_per_minute)") == PER_MINUTE
    waits = prometheus.by("api_key_alias", "stackspot_key_queue_seconds_total")
    assert set(waits) == {f"{developer.name}-laptop" for developer in worked.both}
    assert all(waits.values())


def test_no_token_is_without_a_bill_or_a_name(worked: Team, monitored: Monitored, simulator_client: Simulator) -> None:
    prometheus = monitored.prometheus
    seen(prometheus, "sum(litellm_total_tokens_metric_total)", worked.tokens)
    seen(prometheus, 'sum(stackspot_tokens_total{outcome="answered"})', worked.tokens)
    told = sum(sum(usage.values()) for request in simulator_client.requests("/chat") if (usage := request["usage"]))
    seen(prometheus, "sum(stackspot_tokens_total)", told)
    assert told > worked.tokens, "those of calls that failed stand under their outcomes, each once"
    aliases = prometheus.by("api_key_alias", "sum by (api_key_alias) (litellm_total_tokens_metric_total)")
    assert set(aliases) == {f"{developer.name}-laptop" for developer in worked.both}


@pytest.mark.parametrize(
    "metric",
    [
        "litellm_llm_api_latency_metric",
        "litellm_llm_api_time_to_first_token_metric",
        "litellm_overhead_latency_metric",
    ],
)
def test_litellms_own_times_have_samples(worked: Team, monitored: Monitored, metric: str) -> None:
    calls = worked.statuses[200]
    streams = 2
    expected = {"litellm_llm_api_latency_metric": calls, "litellm_overhead_latency_metric": calls - streams}
    seen(monitored.prometheus, f"sum({metric}_count)", expected.get(metric, streams))
    total = monitored.prometheus.number(f"sum({metric}_sum)")
    all_in_all = monitored.prometheus.number("sum(litellm_request_total_latency_metric_sum)")
    assert 0 < total < all_in_all


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel.title)
def test_each_panel_shows_something(worked: Team, monitored: Monitored, panel: object) -> None:
    for target in panel.targets:  # type: ignore[attr-defined]
        assert monitored.prometheus.query(target.over(WINDOW)), target.expression


def test_each_alert_can_be_evaluated(worked: Team, monitored: Monitored) -> None:
    (group,) = monitored.prometheus.get("rules")["groups"]
    assert len(group["rules"]) == 10
    assert {rule["health"] for rule in group["rules"]} == {"ok"}, group["rules"]


def test_no_metric_holds_what_a_client_says(worked: Team, monitored: Monitored) -> None:
    page = httpx.get(f"http://127.0.0.1:{monitored.metrics_port}/metrics/", timeout=30, trust_env=False)
    assert page.status_code == 200
    secrets = [worked.gateway.key, worked.ana.key, worked.ana.token, worked.bruno.token, "sk-"]
    for hidden in (*secrets, SECRET_WORD, END_USER, "127.0.0.1", worked.simulator.url.removeprefix("http://")):
        assert hidden not in page.text, hidden
    lines = [line for line in page.text.splitlines() if not line.startswith("#")]
    assert {label for line in lines for label in re.findall(r"[{,](\w+)=\"", line)} <= LABELS
    models = {*re.findall(r'requested_model="([^"]*)"', page.text)}
    assert models <= {"stackspot", "stackspot-code", "stackspot-assistant", "other", "", "None"}


def test_the_public_port_shows_no_metrics(worked: Team) -> None:
    for path in ("/metrics", "/metrics/"):
        for key in (worked.gateway.key, worked.ana.key, ""):
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            answer = httpx.get(worked.gateway.url + path, headers=headers, timeout=30, trust_env=False)
            assert answer.status_code == 404, (path, answer.text)
            assert "stackspot_" not in answer.text
