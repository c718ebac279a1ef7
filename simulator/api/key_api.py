"""The OpenAI-shaped API behind an `sk-` key (section 13). Nothing shows that StackSpot has it; the wire is OpenAI's."""

from __future__ import annotations

import hmac
import json
import time
import uuid
from typing import Any

from aiohttp import web

from custom_handlers.core.models import MODELS
from simulator.api.errors import RefusedError, json_response, openai_error
from simulator.api.plan import Dialect, dump, groups_of, lay_out, lay_out_plain
from simulator.api.streaming import send_plain, send_stream
from simulator.control.faults import Faults
from simulator.control.replies import Answer
from simulator.state import come_between, faults_for, record_of, state_of
from simulator.usage import Usage, count_tokens, openai_usage


async def models(request: web.Request) -> web.StreamResponse:
    """GET /v1/models: the three names."""
    _check_key(request)
    listed = [{"id": name, "object": "model", "created": 0, "owned_by": "stackspot"} for name in MODELS]
    return json_response({"object": "list", "data": listed})


async def completions(request: web.Request) -> web.StreamResponse:
    """POST /v1/chat/completions, /v1/code/completions, /v1/assistant/completions (SEED). OpenAI bodies."""
    state, record = state_of(request), record_of(request)
    owner = _owner(request)
    faults = faults_for(request, "key", owner)
    await come_between(request, faults, openai=True)
    _check_key(request)
    if faults.rate_limit is not None and not state.window.admits(("key", owner), faults.rate_limit, faults.rate_window):
        raise RefusedError(openai_error(429, "Rate limit reached.", "rate_limit_exceeded"))
    body = record.body
    prompt = _read_prompt(body)
    tokens = count_tokens(prompt) + faults.extra_input
    if faults.token_limit is not None and tokens > faults.token_limit:
        sentence = f"This model's maximum context length is {faults.token_limit} tokens."
        sentence += f" However, your messages resulted in {tokens} tokens."
        raise RefusedError(openai_error(400, sentence, "context_length_exceeded"))
    answer = state.answers.next("key", prompt, state.model.answer)
    record.answer = answer.text
    usage = answer.usage or Usage(tokens, _output_tokens(answer) + faults.extra_output)
    reported = None if faults.usage == "absent" else usage
    model = body["model"]
    groups = [] if faults.empty_answer else groups_of(answer, faults)
    if body.get("stream") and not faults.json_instead:
        options = body.get("stream_options")
        wanted = isinstance(options, dict) and bool(options.get("include_usage"))
        reported = reported if wanted else None
        plan = lay_out(groups, _dialect(model, answer, reported, faults), faults)
        return await send_stream(request, plan, faults, reported)
    whole = dump(_completion(model, answer, reported, faults), faults.escape)
    return await send_plain(request, lay_out_plain(whole, faults), len(whole), len(groups), faults, reported)


def _check_key(request: web.Request) -> None:
    expected, given = f"Bearer {state_of(request).settings.api_key}", request.headers.get("Authorization", "")
    if _owner(request) is None and not hmac.compare_digest(given.encode(), expected.encode()):
        raise RefusedError(openai_error(401, "Incorrect API key provided.", "invalid_api_key"))


def _owner(request: web.Request) -> str | None:
    """The account of a further key; None for the first key, and for one that is unknown."""
    return state_of(request).keys.get(request.headers.get("Authorization", "").removeprefix("Bearer "))


def _read_prompt(body: Any) -> str:
    """All messages as text, the last one last; `RefusedError` with 400 when the body is not a chat."""
    if not isinstance(body, dict) or not isinstance(body.get("model"), str) or not body["model"]:
        raise RefusedError(openai_error(400, "you must provide a model parameter"))
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        raise RefusedError(openai_error(400, "messages must be a non-empty list of objects"))
    return "\n".join(f"{message.get('role')}: {_content(message.get('content'))}" for message in messages)


def _content(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return ""


def _output_tokens(answer: Answer) -> int:
    return count_tokens(answer.text) + sum(count_tokens(c.name + c.arguments) for c in answer.tool_calls)


def _finish(answer: Answer) -> str:
    return answer.finish_reason or ("tool_calls" if answer.tool_calls else "stop")


def _completion(model: str, answer: Answer, usage: Usage | None, faults: Faults) -> dict[str, Any]:
    text = "" if faults.empty_answer else answer.text
    message: dict[str, Any] = {"role": "assistant", "content": text or (None if answer.tool_calls else "")}
    if answer.tool_calls:
        message["tool_calls"] = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
            for c in answer.tool_calls
        ]
    completion: dict[str, Any] = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": _finish(answer), "logprobs": None}],
    }
    if usage is not None:
        completion["usage"] = openai_usage(usage)
    return completion


def _dialect(model: str, answer: Answer, usage: Usage | None, faults: Faults) -> Dialect:
    """Chunks of one completion. Head and tail are made once: a benchmark asks for thousands of deltas a second."""
    created = int(time.time())
    common = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion.chunk",
        "created": created,
        "model": model,
    }
    head = dump(common)[:-1] + b',"choices":[{"index":0,"delta":'
    tail = b',"finish_reason":null}]}'

    def chunk(delta: dict[str, Any]) -> bytes:
        return head + dump(delta, faults.escape) + tail

    def text_chunk(piece: str) -> bytes:
        return head + b'{"content":' + dump(piece, faults.escape) + b"}" + tail

    calls = [chunk(delta) for delta in _call_deltas(answer)]
    finish = head + b'{},"finish_reason":' + json.dumps(_finish(answer)).encode() + b"}]}"
    return Dialect(
        delta=text_chunk,
        opening=[chunk({"role": "assistant", "content": None if answer.tool_calls else ""})],
        closing=[*calls, finish],
        final=None if usage is None else dump({**common, "choices": [], "usage": openai_usage(usage)}),
        error=dump({"error": {"message": "The model stopped unexpectedly.", "type": "server_error", "code": None}}),
        done=faults.done is not False,
    )


def _call_deltas(answer: Answer) -> list[dict[str, Any]]:
    """Tool calls as OpenAI streams them: id and name first, then the arguments in two halves."""
    deltas = []
    for index, call in enumerate(answer.tool_calls):
        function = {"name": call.name, "arguments": ""}
        deltas.append({"tool_calls": [{"index": index, "id": call.id, "type": "function", "function": function}]})
        middle = len(call.arguments) // 2
        for part in (call.arguments[:middle], call.arguments[middle:]):
            deltas.append({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    return deltas
