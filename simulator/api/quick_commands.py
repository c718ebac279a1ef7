"""Remote quick commands: started with one call, then asked after until they are done (section 12)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from simulator.api.errors import RefusedError, command_rate_limited, json_response, malformed
from simulator.identifiers import new_ulid
from simulator.state import Execution, bearer_account, come_between, faults_for, record_of, state_of

_STATUS_BY_POLL = {1: "CREATED", 2: "RUNNING"}
_DONE_BY_STATUS = {"CREATED": 0.0, "RUNNING": 0.5, "COMPLETED": 1.0, "FAILURE": 1.0}


async def start(request: web.Request) -> web.StreamResponse:
    """POST /v1/quick-commands/create-execution/{slug} (GAMBI, STKAI). In: bearer, `input_data`. Out: the execution id,
    as a bare JSON string (STKAI, POTENTII)."""
    state, record = state_of(request), record_of(request)
    faults = faults_for(request, "quick-commands")
    await come_between(request, faults)
    account = bearer_account(request)
    who = (account, "quick-commands")
    if faults.rate_limit is not None and not state.window.admits(who, faults.rate_limit, faults.rate_window):
        raise RefusedError(command_rate_limited(faults.rate_limit, faults.rate_window / 60))
    if not isinstance(record.body, dict) or record.body.get("input_data") is None:
        raise RefusedError(malformed("input_data", "Field required"))
    data = record.body["input_data"]
    prompt = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    record.answer = state.answers.next("quick-commands", prompt, state.model.answer).text
    execution = Execution(
        id=new_ulid(),
        slug=request.match_info["slug"],
        conversation_id=request.query.get("conversation_id") or new_ulid(),
        result=record.answer,
        fails=faults.fail_execution,
        started=datetime.now(UTC).timestamp(),
    )
    state.executions[execution.id] = execution
    return json_response(execution.id)


async def poll(request: web.Request) -> web.StreamResponse:
    """GET /v1/quick-commands/callback/{execution_id} (DOC-RQCX). Out: CREATED, then RUNNING, then the result.

    Progress follows the polls, not the clock, so that a test sees the same steps however fast it asks.
    """
    await come_between(request, faults_for(request, "quick-commands"))
    bearer_account(request)
    execution = state_of(request).executions.get(request.match_info["execution_id"])
    if execution is None:
        raise RefusedError(json_response({"message": "Not Found"}, 404))
    execution.polls += 1
    final = "FAILURE" if execution.fails else "COMPLETED"
    return json_response(_report(execution, _STATUS_BY_POLL.get(execution.polls, final)))


def _report(execution: Execution, status: str) -> dict[str, Any]:
    ended = status in ("COMPLETED", "FAILURE")
    now = datetime.now(UTC)
    started = datetime.fromtimestamp(execution.started, UTC)
    progress: dict[str, Any] = {
        "start": started.isoformat(),
        "end": now.isoformat() if ended else None,
        "duration": round((now - started).total_seconds(), 3),
        "execution_percentage": _DONE_BY_STATUS[status],
        "status": status,
    }
    if status == "FAILURE":
        progress["error"] = "The execution failed."
    step = {
        "step_name": "simulated-step",
        "execution_order": 0,
        "type": "LLM",
        "step_result": {"answer": execution.result, "sources": []},
    }
    completed = status == "COMPLETED"
    return {
        "execution_id": execution.id,
        "quick_command_slug": execution.slug,
        "conversation_id": execution.conversation_id,
        "progress": progress,
        "steps": [step] if completed else [],
        "result": execution.result if completed else None,
    }
