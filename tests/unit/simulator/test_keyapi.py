"""The OpenAI-shaped API (reference, section 13), by hand and through OpenAI's own client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from simulator.client import Simulator
from simulator.usage import count_tokens
from tests.lazily import lazily
from tests.unit.simulator.calling import Caller

if TYPE_CHECKING:
    import openai
else:
    openai = lazily("openai")

CALL = {"id": "call_1", "type": "function", "function": {"name": "read", "arguments": '{"path":"a.py"}'}}


@pytest.fixture
def client(caller: Caller) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{caller.url}/v1", api_key=caller.account.api_key, max_retries=0)


@pytest.mark.parametrize("path", ["chat", "code", "assistant"])
def test_a_plain_completion(simulator: Simulator, caller: Caller, path: str) -> None:
    response = caller.complete("what is a monad", path)
    assert response.status_code == 200
    completion = response.json()
    [choice] = completion["choices"]
    assert "what is a monad" in choice["message"]["content"]
    assert choice["finish_reason"] == "stop"
    prompt_tokens = count_tokens("user: what is a monad")
    assert completion["usage"]["prompt_tokens"] == prompt_tokens
    assert completion["usage"]["completion_tokens"] == count_tokens(choice["message"]["content"])
    assert simulator.requests("completions")[0]["usage"]["input"] == prompt_tokens


def test_a_further_key_has_faults_of_its_own(simulator: Simulator, caller: Caller) -> None:
    body = {"model": "stackspot-ai-chat", "messages": [{"role": "user", "content": "Hi"}]}

    def further() -> int:
        headers = {"Authorization": "Bearer sk-further"}
        return caller.http.post(f"{caller.url}/v1/chat/completions", json=body, headers=headers).status_code

    assert further() == 401
    simulator.add_account("globex", "further", "its key")
    simulator.add_key("sk-further", "further")
    assert further() == 200
    simulator.faults(target="key@further", status=503)
    assert (further(), caller.complete().status_code) == (503, 200)
    simulator.faults(target="key", status=500)
    assert (further(), caller.complete().status_code) == (503, 500)
    simulator.no_faults("key@further")
    assert further() == 500


def test_openais_client_reads_a_stream_with_usage(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="stackspot-ai-chat",
        messages=[{"role": "user", "content": "what is a monad"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    *chunks, last = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert "what is a monad" in text
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert len({chunk.id for chunk in [*chunks, last]}) == 1
    assert not last.choices
    assert last.usage
    assert last.usage.completion_tokens == count_tokens(text)


def test_usage_is_streamed_only_when_asked_for(simulator: Simulator, caller: Caller) -> None:
    stream = caller.stream_completion()
    assert stream.writes[-1] == b"data: [DONE]\r\n\r\n"
    assert all("usage" not in chunk for chunk in stream.objects)
    simulator.faults(target="key", usage="absent")
    assert all("usage" not in c for c in caller.stream_completion(stream_options={"include_usage": True}).objects)
    assert "usage" not in caller.complete().json()
    assert [record["usage"] for record in simulator.requests("completions")] == [None, None, None]


def test_openais_client_reads_tool_calls(simulator: Simulator, client: openai.OpenAI) -> None:
    simulator.answer({"message": {"content": None, "tool_calls": [CALL]}}, agent="key")
    simulator.answer({"message": {"content": None, "tool_calls": [CALL]}}, agent="key")
    asked: Any = {"model": "m", "messages": [{"role": "user", "content": "read it"}]}
    choice = client.chat.completions.create(**asked).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    assert choice.message.tool_calls
    assert choice.message.tool_calls[0].model_dump(exclude_unset=True) == CALL
    deltas = [c.choices[0] for c in client.chat.completions.create(**asked, stream=True)]
    calls = [delta.delta.tool_calls[0] for delta in deltas if delta.delta.tool_calls]
    assert (calls[0].id, calls[0].function.name) == (CALL["id"], "read")
    assert "".join(call.function.arguments for call in calls) == '{"path":"a.py"}'
    assert len(calls) == 3
    assert deltas[-1].finish_reason == "tool_calls"


def test_scripted_finish_reason_and_usage(simulator: Simulator, caller: Caller) -> None:
    simulator.answer({"text": "cut", "finish_reason": "length", "usage": {"input": 5, "output": 1}})
    completion = caller.complete().json()
    assert completion["choices"][0]["finish_reason"] == "length"
    assert completion["usage"] == {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}


def test_a_wrong_key_is_refused(caller: Caller) -> None:
    client = openai.OpenAI(base_url=f"{caller.url}/v1", api_key="sk-wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError, match="Incorrect API key"):
        client.models.list()
    assert caller.http.post(f"{caller.url}/v1/chat/completions", json={}, headers=caller.bearer).status_code == 401


def test_models_are_listed(client: openai.OpenAI) -> None:
    listed = {model.id for model in client.models.list()}
    assert listed == {"stackspot-ai-chat", "stackspot-ai-code", "stackspot-ai-assistant"}


@pytest.mark.parametrize("body", [{}, {"model": "m"}, {"model": "m", "messages": []}, {"messages": [{}]}, []])
def test_a_malformed_body_is_refused(caller: Caller, body: Any) -> None:
    response = caller.http.post(f"{caller.url}/v1/chat/completions", json=body, headers=caller.key)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_refusals_have_openais_shape(simulator: Simulator, caller: Caller) -> None:
    simulator.faults({"status": 503, "times": 1}, {"rate_limit": 0, "times": 1}, {"token_limit": 1}, target="key")
    assert caller.complete().status_code == 503
    limited = caller.complete()
    assert (limited.status_code, limited.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    long = caller.complete()
    assert (long.status_code, long.json()["error"]["code"]) == (400, "context_length_exceeded")


def test_streams_of_the_key_api_fail_too(simulator: Simulator, caller: Caller) -> None:
    simulator.faults({"break_after": 2, "times": 1}, {"error_after": 1, "done": False}, target="key")
    simulator.answer({"pieces": list("abcd")}, {"pieces": list("abcd")}, agent="key")
    broken = caller.stream_completion()
    assert not broken.whole
    assert [c["choices"][0]["delta"].get("content") for c in broken.objects] == ["", "a", "b"]
    failed = caller.stream_completion()
    assert failed.whole
    assert "error" in failed.objects[-1]
    assert caller.chat().status_code == 200


def test_an_empty_completion(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(target="key", empty_answer=True, done=False)
    assert caller.complete().json()["choices"][0]["message"]["content"] == ""
    stream = caller.stream_completion()
    assert [c["choices"][0]["delta"].get("content", "") for c in stream.objects] == ["", ""]
    assert b"[DONE]" not in stream.body


def test_content_parts_are_read(caller: Caller) -> None:
    parts = [{"type": "text", "text": "what is "}, {"type": "text", "text": "a functor"}]
    messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": parts}]
    response = caller.http.post(
        f"{caller.url}/v1/chat/completions", json={"model": "m", "messages": messages}, headers=caller.key
    )
    assert isinstance(response, httpx.Response)
    assert "what is a functor" in response.json()["choices"][0]["message"]["content"]
