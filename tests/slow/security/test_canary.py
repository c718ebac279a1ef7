"""A word in every place that can hold content, and then in none of what the gateway writes down; nor any secret."""

import base64
import json
import secrets
from typing import Any

import httpx
import pytest

from simulator.client import Simulator
from tests.developers import Developer, hire
from tests.gateway.calling import CHAT, COMPLETIONS, MESSAGES, PATHS, RESPONSES, ROUTES, request_body
from tests.slow.security.conftest import Watched
from tests.slow.security.outputs import outputs
from tests.waiting import eventually

TOOL_NAME = "look_up"
ROOT_SPAN = b"Received Proxy Server Request"


class Words:
    """A new word for each place, so that a leak says where it is from."""

    def __init__(self) -> None:
        self.made: dict[str, str] = {}

    def __call__(self, place: str) -> str:
        return self.made.setdefault(place, f"canary{secrets.token_hex(6)}")


def bodies(route: str, word: Words) -> list[dict[str, Any]]:
    """Requests that are answered, with a word wherever a route takes content."""

    def said(what: str) -> str:
        return f"{word(f'{route}, {what}')} and more"

    picture = base64.b64encode(b"\x89PNG" + said("picture").encode()).decode()
    schema = {"type": "object", "properties": {"path": {"type": "string", "description": said("schema")}}}
    named = {"name": TOOL_NAME, "description": said("tool")}
    arguments = json.dumps({"path": said("arguments")})
    match route:
        case "chat":
            call = {"id": "c1", "type": "function", "function": {"name": TOOL_NAME, "arguments": arguments}}
            image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}
            more: dict[str, Any] = {
                "messages": [
                    {"role": "system", "content": said("system")},
                    {"role": "user", "content": [{"type": "text", "text": said("text")}, image]},
                    {"role": "assistant", "content": None, "tool_calls": [call]},
                    {"role": "tool", "tool_call_id": "c1", "content": said("result")},
                ],
                "tools": [{"type": "function", "function": {**named, "parameters": schema}}],
                "stop": [said("stop")],
                "metadata": {"note": said("metadata")},
            }
        case "completions":
            more = {"prompt": said("prompt"), "suffix": said("suffix")}
        case "messages":
            use = {"type": "tool_use", "id": "t1", "name": TOOL_NAME, "input": {"path": said("input")}}
            more = {
                "system": said("system"),
                "messages": [
                    {"role": "user", "content": said("text")},
                    {"role": "assistant", "content": [use]},
                    {
                        "role": "user",
                        "content": [{"type": "tool_result", "tool_use_id": "t1", "content": said("result")}],
                    },
                ],
                "tools": [{**named, "input_schema": schema}],
            }
        case _:
            call = {"type": "function_call", "call_id": "c1", "name": TOOL_NAME, "arguments": arguments}
            more = {
                "instructions": said("instructions"),
                "input": [
                    {"role": "user", "content": said("text")},
                    call,
                    {"type": "function_call_output", "call_id": "c1", "output": said("output")},
                ],
                "tools": [{"type": "function", **named, "parameters": schema}],
                "metadata": {"note": said("metadata")},
            }
    return [request_body(route, prompt=said("alone")), request_body(route) | more]


def refused(route: str, word: Words, *, long: bool) -> list[dict[str, Any]]:
    """Requests that are not: by the guard, by LiteLLM, by the handler."""
    said = word(f"{route}, refused")
    field = {COMPLETIONS: "prompt", RESPONSES: "input"}.get(route, "messages")
    return [
        request_body(route, prompt=said) | {"temperature": said},
        request_body(route, prompt=said) | {"stream": said},
        request_body(route) | {field: {said: said}},
        request_body(route) | {field: [{"role": said, "content": [{"type": said}]}]},
        request_body(route, prompt=said) | {"max_tokens": said, "max_output_tokens": said},
        request_body(route, prompt=said) | {"api_base": f"http://{said}.invalid"},
        # LiteLLM's own log at DEBUG takes minutes to write a prompt that is too long.
        *([request_body(route, prompt=f"{said} " * 150_000)] if long else []),
        request_body(route, "none", said),
    ]


def ask(watched: Watched, key: str, path: str, body: Any) -> int:
    with httpx.Client(base_url=watched.gateway.url, timeout=120, trust_env=False) as client:
        return client.post(path, json=body, headers={"Authorization": f"Bearer {key}"} if key else {}).status_code


def work(watched: Watched, simulator: Simulator, developer: Developer, word: Words) -> int:
    """All kinds of requests on all surfaces; how many were answered."""
    answered = 0
    for route in ROUTES:
        path = PATHS[route]
        for stream in (False, True):
            simulator.answer(*[f"Answer {word(f'{route}, answer')}."] * 2)
            statuses = [ask(watched, developer.key, path, body | {"stream": stream}) for body in bodies(route, word)]
            assert statuses == [200, 200], (route, stream)
            answered += 2
        call = {"name": TOOL_NAME, "arguments": {"path": word(f"{route}, call")}}
        [_, with_tools] = bodies(route, word)
        for text in (f"<tool_call>{json.dumps(call)}</tool_call>", f"<tool_call>{json.dumps(call)[:-2]}</tool_call>"):
            simulator.answer(text, text)
            ask(watched, developer.key, path, with_tools)
        simulator.no_answers()
        for fault in (
            {"status": 503, "retry_after": "3000", "body": {"message": word(f"{route}, StackSpot's error")}},
            {"status": 418, "body": word(f"{route}, StackSpot's other error")},
            {"break_after": 1},
            {"empty_answer": True},
        ):
            simulator.faults(**fault)
            for stream in (False, True):
                ask(
                    watched,
                    developer.key,
                    path,
                    request_body(route, prompt=word(f"{route}, failed")) | {"stream": stream},
                )
        simulator.no_faults()
        for body in refused(route, word, long=not watched.litellms_log):
            assert 400 <= ask(watched, developer.key, path, body) < 500, body.keys()
        assert ask(watched, f"sk-{word('a wrong key')}", path, request_body(route, prompt=word("by a stranger"))) == 401
    counted = request_body(MESSAGES, prompt=word("counted"))
    assert ask(watched, developer.key, "/v1/messages/count_tokens", counted) == 200
    left = request_body(CHAT, prompt=word("left"))
    simulator.faults(first_byte_delay=10)
    with (
        httpx.Client(base_url=watched.gateway.url, trust_env=False) as client,
        pytest.raises(httpx.ReadTimeout),
    ):
        client.post(PATHS[CHAT], json=left, headers={"Authorization": f"Bearer {developer.key}"}, timeout=1)
    simulator.no_faults()
    sign_in = {"username": "admin", "password": word("a wrong password")}
    assert ask(watched, "", "/v2/login", sign_in) == 401
    return answered


def test_no_content_and_no_secret_is_written_down(watched: Watched, simulator: Simulator) -> None:
    developer, word = hire(watched.gateway, "canary"), Words()
    answered = work(watched, simulator, developer, word)
    written = f"\"LiteLLM_SpendLogs\" WHERE api_key = '{developer.token}'"
    eventually(lambda: _count(watched, written) >= answered, "the requests are in the database")
    eventually(lambda: ROOT_SPAN in b"".join(watched.collector.raw), "traces have come")
    found = outputs(watched, developer)
    # The alias is in each of these: they have been read, and it is this developer's requests that they tell of.
    for name in ("log", "metrics", "traces", "database", "/spend/logs (200)", "/key/info, to a developer"):
        assert f"{developer.name}-laptop" in found[name] or developer.token in found[name], name
    assert "stackspot-responses" in found["redis"]
    assert [name for name in found if name.startswith("/") and "(5" in name] == []

    assert len(word.made) > 40
    content = [
        f"{place} is in {name}"
        for name, text in found.items()
        for place, made in word.made.items()
        if made in text and not (watched.litellms_log and name == "log")
    ]
    kept = (*watched.secrets, developer.key)
    shown = [
        f"secret {at} is in {name}" for name, text in found.items() for at, each in enumerate(kept) if each in text
    ]
    assert content + shown == []


def _count(watched: Watched, what: str) -> int:
    import psycopg

    with psycopg.connect(watched.database, autocommit=True) as connection:
        [number] = connection.execute(f"SELECT count(*) FROM {what}").fetchone() or [0]  # noqa: S608
    return int(number)
