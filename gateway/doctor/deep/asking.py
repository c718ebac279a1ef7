"""One case asked of the gateway, request by request; a 429 is waited out."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from custom_handlers.http.network import is_loopback
from gateway.doctor.deep.case import Call, Case, Reply, Step

SECONDS = 300
WAITS, LONGEST_WAIT_SECONDS = 3, 60.0
MOST_TOKENS = 4096


class OutOfReachError(Exception):
    """The gateway or StackSpot failed: that says nothing about the model. The message says how."""


@dataclass
class Spent:
    requests: int = 0
    tokens: int = 0


class Asker:
    def __init__(self, url: str, key: str, spent: Spent) -> None:
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=SECONDS,
            trust_env=not is_loopback(urlsplit(url).hostname or ""),
        )
        self._spent = spent

    def __enter__(self) -> Asker:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def problem(self, model: str, case: Case) -> str:
        """What is wrong with the model's answers; "" is right. Raises OutOfReachError."""
        messages: list[Mapping[str, Any]] = [{"role": "user", "content": case.asks}]
        check = case.check
        for step in (*case.then, None):
            reply = self._reply({"model": model, "messages": messages, **_options(case)})
            found = reply if isinstance(reply, str) else check(reply)
            if found or step is None or isinstance(reply, str):
                return found
            messages += [reply.message, *_following(step, reply)]
            check = step.check
        return ""

    def _reply(self, body: Mapping[str, Any]) -> Reply | str:
        response = self._post(body)
        if response.headers.get("x-should-retry") == "false":
            return f"the gateway found no usable answer (HTTP {response.status_code})"
        if response.is_error:
            raise OutOfReachError(f"the gateway answers HTTP {response.status_code}")
        try:
            answer = response.json()
            message = answer["choices"][0]["message"]
            found = [_call(each) for each in message.get("tool_calls") or []]
            self._spent.tokens += int((answer.get("usage") or {}).get("total_tokens") or 0)
        except (ValueError, LookupError, TypeError, AttributeError):
            raise OutOfReachError("what answers there is no LiteLLM gateway") from None
        said = {name: message[name] for name in ("role", "content", "tool_calls") if message.get(name) is not None}
        return Reply(str(message.get("content") or ""), tuple(found), {"role": "assistant", "content": "", **said})

    def _post(self, body: Mapping[str, Any]) -> httpx.Response:
        for left in reversed(range(WAITS + 1)):
            self._spent.requests += 1
            try:
                response = self._http.post("/v1/chat/completions", json=body)
            except httpx.TimeoutException:
                raise OutOfReachError(f"the gateway did not answer in {SECONDS} s") from None
            except httpx.HTTPError as error:
                raise OutOfReachError(f"the gateway cannot be reached ({type(error).__name__})") from None
            if response.status_code != 429 or not left:
                return response
            time.sleep(_wait(response.headers.get("retry-after", "")))
        raise AssertionError("unreachable")


def _options(case: Case) -> Mapping[str, Any]:
    tools = {"tools": list(case.tools)} if case.tools else {}
    return {"max_tokens": MOST_TOKENS, **tools, **case.options}


def _wait(told: str) -> float:
    return min(float(told), LONGEST_WAIT_SECONDS) if told.isascii() and told.isdecimal() else 15.0


def _call(told: Any) -> Call:
    function = told["function"]
    try:
        arguments = json.loads(function["arguments"])
    except (ValueError, TypeError, RecursionError):
        arguments = None
    return Call(str(told["id"]), str(function["name"]), arguments)


def _following(step: Step, reply: Reply) -> list[Mapping[str, Any]]:
    if step.says:
        return [{"role": "user", "content": step.says}]
    told: list[Mapping[str, Any]] = []
    for call in reply.calls:
        result = step.results.get(call.name, "Error: there is no such tool.")
        content = result if isinstance(result, str) else result(call.arguments)
        told.append({"role": "tool", "tool_call_id": call.id, "content": content})
    return told
