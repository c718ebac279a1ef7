"""A gateway whose metrics nobody reads does not count for them (tests/slow/monitoring: one whose metrics are read)."""

import httpx

from tests.harness import Server


def test_without_a_port_for_metrics_nothing_is_counted(gateway_server: Server) -> None:
    headers = {"Authorization": f"Bearer {gateway_server.key}"}
    answer = httpx.get(f"{gateway_server.url}/active/callbacks", headers=headers, trust_env=False)
    assert answer.status_code == 200
    assert "RequestGuard" in answer.text
    assert "prometheus" not in answer.text.lower()
