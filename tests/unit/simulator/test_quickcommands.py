"""Remote quick commands (reference, section 12)."""

from typing import Any

import pytest

from simulator.client import Simulator
from simulator.identifiers import is_ulid
from tests.unit.simulator.calling import Caller

BASE = "/v1/quick-commands"


def start(caller: Caller, data: Any = "explain this") -> Any:
    response = caller.http.post(
        f"{caller.url}{BASE}/create-execution/explain", json={"input_data": data}, headers=caller.bearer
    )
    assert response.status_code == 200, response.text
    return response.json()


def poll(caller: Caller, execution_id: str) -> dict[str, Any]:
    report: dict[str, Any] = caller.http.get(
        f"{caller.url}{BASE}/callback/{execution_id}?nocache=1", headers=caller.bearer
    ).json()
    return report


def test_an_execution_goes_through_its_states(simulator: Simulator, caller: Caller) -> None:
    simulator.answer("explained", agent="quick-commands")
    execution_id = start(caller)
    assert is_ulid(execution_id)
    reports = [poll(caller, execution_id) for _ in range(4)]
    assert [r["progress"]["status"] for r in reports] == ["CREATED", "RUNNING", "COMPLETED", "COMPLETED"]
    assert [r["result"] for r in reports] == [None, None, "explained", "explained"]
    done = reports[-1]
    assert done.keys() == {"execution_id", "quick_command_slug", "conversation_id", "progress", "steps", "result"}
    assert done["quick_command_slug"] == "explain"
    assert done["steps"][0]["step_result"]["answer"] == "explained"
    assert done["progress"]["execution_percentage"] == 1


def test_an_object_is_an_input_too(simulator: Simulator, caller: Caller) -> None:
    simulator.rule("by rule", when='"language": "cobol"')
    execution_id = start(caller, {"language": "cobol"})
    assert [poll(caller, execution_id)["result"] for _ in range(3)][-1] == "by rule"


def test_an_execution_can_fail(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(target="quick-commands", fail_execution=True)
    execution_id = start(caller)
    last = [poll(caller, execution_id) for _ in range(3)][-1]
    assert last["progress"]["status"] == "FAILURE"
    assert last["progress"]["error"]
    assert last["result"] is None


def test_the_window_of_quick_commands(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(target="quick-commands", rate_limit=1, rate_window=86400)
    start(caller)
    url = f"{caller.url}{BASE}/create-execution/explain"
    response = caller.http.post(url, json={"input_data": "x"}, headers=caller.bearer)
    assert response.status_code == 429
    assert response.json()["code"] == "CODEBUDDY_1044_QUICK_COMMAND_RATE_LIMIT_EXCEEDED"
    assert "1440 minutes" in response.json()["details"]


@pytest.mark.parametrize(("body", "status"), [({}, 422), ([], 422)])
def test_a_malformed_start(caller: Caller, body: Any, status: int) -> None:
    url = f"{caller.url}{BASE}/create-execution/explain"
    assert caller.http.post(url, json=body, headers=caller.bearer).status_code == status


def test_strangers_and_unknown_executions(caller: Caller) -> None:
    url = f"{caller.url}{BASE}/callback/01J0000000000000000000N0NE"
    assert caller.http.get(url).status_code == 401
    assert caller.http.get(url, headers=caller.bearer).status_code == 404
