"""The switches: everything under /simulator/, which only tests know."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from simulator.api.errors import json_response
from simulator.api.uploads import describe
from simulator.control.fault_store import EVERY_AGENT, SERVICES, read_faults, service_of
from simulator.control.replies import ScriptError, read_answer, read_rule
from simulator.identifiers import is_ulid
from simulator.model.models import find_model
from simulator.settings import Account
from simulator.state import State, state_of

PREFIX = "/simulator/"
Action = Callable[[State, web.Request, Any], Any]


def routes() -> list[web.RouteDef]:
    """All control calls."""
    return [
        web.get("/simulator/requests", _requests),
        web.delete("/simulator/requests", _call(lambda state, request, body: state.request_log.clear())),
        web.put("/simulator/faults", _call(_put_faults)),
        web.put("/simulator/faults/{target}", _call(_put_faults)),
        web.delete("/simulator/faults", _call(_delete_faults)),
        web.delete("/simulator/faults/{target}", _call(_delete_faults)),
        web.post("/simulator/answers", _call(_post_answers)),
        web.delete("/simulator/answers", _call(lambda state, request, body: state.answers.clear())),
        web.post("/simulator/tokens/revoke", _call(lambda state, request, body: {"revoked": state.tokens.revoke()})),
        web.put("/simulator/model", _call(_put_model)),
        web.post("/simulator/accounts", _call(_post_account)),
        web.post("/simulator/accounts/cut", _call(_post_cut)),
        web.post("/simulator/agents", _call(_post_agent)),
        web.post("/simulator/keys", _call(_post_key)),
        web.post("/simulator/reset", _call(lambda state, request, body: state.reset())),
        web.post("/simulator/outage", _call(_post_outage)),
        web.get("/simulator/uploads", _call(_uploads)),
        web.get("/simulator/uploads/{upload_id}", _upload),
        web.get("/simulator/state", _call(_state)),
    ]


def _call(action: Action) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A handler around `action`: checks the control token, decodes JSON, and answers mistakes with a sentence."""

    async def handle(request: web.Request) -> web.StreamResponse:
        refusal = _refuse_stranger(request)
        if refusal is not None:
            return refusal
        try:
            raw = await request.read()
            body = json.loads(raw) if raw else None
            return json_response(_or_empty(action(state_of(request), request, body)))
        except json.JSONDecodeError:
            return json_response({"error": "The body is not JSON."}, 400)
        except ScriptError as error:
            return json_response({"error": str(error)}, 400)

    return handle


def _or_empty(value: Any) -> Any:
    return {} if value is None else value


def _refuse_stranger(request: web.Request) -> web.Response | None:
    token = state_of(request).settings.control_token
    given = request.headers.get("Authorization", "")
    if token is None or hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return None
    return json_response({"error": "The control token is missing or wrong."}, 401)


async def _requests(request: web.Request) -> web.StreamResponse:
    refusal = _refuse_stranger(request)
    if refusal is not None:
        return refusal
    return web.Response(text=state_of(request).request_log.as_json(), content_type="application/json")


async def _upload(request: web.Request) -> web.StreamResponse:
    refusal = _refuse_stranger(request)
    if refusal is not None:
        return refusal
    upload = state_of(request).uploads.get(request.match_info["upload_id"])
    if upload is None or upload.data is None:
        return json_response({"error": "No such file was stored."}, 404)
    return web.Response(body=upload.data, content_type="application/octet-stream")


def _target(state: State, request: web.Request) -> str:
    target = request.match_info.get("target", EVERY_AGENT)
    accounts = {account.client_id for account in state.tokens.accounts}
    service, at, client_id = service_of(target), *target.partition("@")[1:]
    of_account = at and service in SERVICES and client_id in accounts
    if target not in {EVERY_AGENT, *SERVICES, *state.agents} and not of_account:
        raise ScriptError(f"Faults are for an agent's id or one of {', '.join(sorted(SERVICES))}, not for {target}.")
    return target


def _put_faults(state: State, request: web.Request, body: Any) -> None:
    target = _target(state, request)
    items = body if isinstance(body, list) else [body]
    state.faults.put(target, [read_faults(item, target) for item in items])


def _delete_faults(state: State, request: web.Request, body: Any) -> None:
    state.faults.clear(_target(state, request) if "target" in request.match_info else None)


def _post_answers(state: State, request: web.Request, body: Any) -> Any:
    items = body if isinstance(body, list) else [body]
    rules, queued = [], []
    for item in items:
        if not isinstance(item, dict) or "answer" not in item:
            raise ScriptError("Post an object with answer, and perhaps agent, when or pattern; or a list of them.")
        unknown = item.keys() - {"answer", "agent", "when", "pattern"}
        if unknown:
            raise ScriptError(f"An answer's envelope has no {', '.join(sorted(unknown))}.")
        target = item.get("agent")
        if target is not None and target not in {"key", "quick-commands", *state.agents}:
            raise ScriptError(f"agent is an agent's id, key or quick-commands, not {target}.")
        if "when" in item or "pattern" in item:
            rules.append(read_rule(item))
        else:
            queued.append((target, read_answer(item["answer"])))
    state.answers.rules.extend(rules)
    state.answers.queue.extend(queued)
    return {"queued": len(state.answers.queue), "rules": len(state.answers.rules)}


def _put_model(state: State, request: web.Request, body: Any) -> None:
    name = body.get("name") if isinstance(body, dict) else None
    if not isinstance(name, str):
        raise ScriptError("Put an object with name.")
    state.model, state.model_name = find_model(name), name


def _post_account(state: State, request: web.Request, body: Any) -> None:
    names = ("realm", "client_id", "client_secret")
    if not isinstance(body, dict) or not all(isinstance(body.get(name), str) and body[name] for name in names):
        raise ScriptError("Post an object with realm, client_id and client_secret.")
    state.tokens.accounts.append(Account(*(body[name] for name in names)))


def _post_agent(state: State, request: web.Request, body: Any) -> None:
    agent_id = body.get("id") if isinstance(body, dict) else None
    if not isinstance(agent_id, str) or not is_ulid(agent_id):
        raise ScriptError("Post an object with id, a ULID (26 characters), and client_id if it is one account's alone.")
    state.agents.add(agent_id)
    if isinstance(owner := body.get("client_id"), str):
        state.owners[agent_id] = owner


def _post_key(state: State, request: web.Request, body: Any) -> None:
    names = ("key", "client_id")
    if not isinstance(body, dict) or not all(isinstance(body.get(name), str) and body[name] for name in names):
        raise ScriptError("Post an object with key, for the key API, and client_id, the account that it belongs to.")
    state.keys[body["key"]] = body["client_id"]


def _post_cut(state: State, request: web.Request, body: Any) -> None:
    client_id = body.get("client_id") if isinstance(body, dict) else None
    if client_id not in {account.client_id for account in state.tokens.accounts}:
        raise ScriptError("Post an object with client_id, an account's.")
    state.tokens.cut_off.add(str(client_id))


def _post_outage(state: State, request: web.Request, body: Any) -> None:
    seconds = body.get("seconds") if isinstance(body, dict) else None
    if not isinstance(seconds, int | float) or not 0 < seconds < 3600 or state.listener is None:
        raise ScriptError("Post an object with seconds, above 0 and below 3600.")
    state.listener.plan_outage(seconds)


def _uploads(state: State, request: web.Request, body: Any) -> list[dict[str, Any]]:
    return [describe(upload) for upload in state.uploads.values()]


def _state(state: State, request: web.Request, body: Any) -> dict[str, Any]:
    return {
        "tokens_issued": state.tokens.issued,
        "tokens_live": state.tokens.live(),
        "token_requests": state.tokens.asked,
        "max_concurrent_token_requests": state.tokens.most_asking,
        "open_streams": state.open_streams,
        "max_open_streams": state.most_streams,
        "requests": len(state.request_log.records),
        "requests_dropped": state.request_log.dropped,
        "answers_queued": len(state.answers.queue),
        "rules": len(state.answers.rules),
        "model": state.model_name,
        "agents": sorted(state.agents),
        "uploads": len(state.uploads),
    }
