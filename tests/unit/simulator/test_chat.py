"""The Agents API when nothing goes wrong (reference, sections 3 to 6 and 10)."""

from typing import Any

import pytest

from simulator.client import Simulator
from simulator.identifiers import is_ulid
from simulator.usage import count_tokens
from tests.unit.simulator.calling import AGENT, OTHER_AGENT, Caller

CONTAINERS = {"upload_ids", "knowledge_source_id", "source", "cross_account_source", "tools_id", "agent_info"}


def test_a_plain_answer_has_every_field(caller: Caller) -> None:
    answer = caller.chat("what is a monad").json()
    assert answer.keys() == CONTAINERS | {"message", "stop_reason", "tokens", "conversation_id", "message_id"}
    assert "what is a monad" in answer["message"]
    assert answer["stop_reason"] == "stop"
    assert answer["conversation_id"] is None
    assert is_ulid(answer["message_id"])
    assert answer["upload_ids"] == {}


def test_a_stream_is_bare_deltas_and_a_final_object(caller: Caller) -> None:
    stream = caller.stream("what is a monad")
    assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert stream.whole
    assert all(write.startswith(b"data: {") and write.endswith(b"\r\n\r\n") for write in stream.writes)
    *deltas, final = stream.objects
    assert all(delta.keys() == {"message"} for delta in deltas)
    assert deltas[0]["message"] == deltas[-1]["message"] == ""
    assert all(delta["message"] for delta in deltas[1:-1])
    assert "".join(stream.deltas) == caller.chat("what is a monad").json()["message"]
    assert final.keys() == {"message", "stop_reason", "tokens", "message_id"}
    assert final["message"] == ""
    assert b"[DONE]" not in stream.body


def test_usage_is_a_rule_and_is_recorded(simulator: Simulator, caller: Caller) -> None:
    answer = caller.chat("x" * 41).json()
    expected = {"input": 11, "output": count_tokens(answer["message"])}
    assert answer["tokens"] == expected
    assert caller.stream("x" * 41).final["tokens"] == expected
    assert [record["usage"] for record in simulator.requests("chat")] == [expected, expected]


@pytest.mark.parametrize("agent", ["01J00000000000000000N0SVCH", "some-slug"])
def test_an_unknown_agent_is_forbidden_with_an_empty_body(caller: Caller, agent: str) -> None:
    response = caller.chat(agent=agent)
    assert (response.status_code, response.content) == (403, b"")


def test_an_agent_can_be_added(simulator: Simulator, caller: Caller) -> None:
    simulator.add_agent("01J00000000000000000ADDED0")
    assert caller.chat(agent="01J00000000000000000ADDED0").status_code == 200


@pytest.mark.parametrize("authorization", [None, "Bearer nonsense", "Basic abc"])
def test_a_bad_bearer_is_unauthorized(caller: Caller, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = caller.http.post(f"{caller.url}/v1/agent/{AGENT}/chat", json={"user_prompt": "x"}, headers=headers)
    assert response.status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"user_prompt": ""}, "user_prompt"),
        ({"user_prompt": 7}, "user_prompt"),
        ({}, "user_prompt"),
        ([], "body"),
        ({"user_prompt": "x", "streaming": "maybe"}, "streaming"),
        ({"user_prompt": "x", "upload_ids": "one"}, "upload_ids"),
        ({"user_prompt": "x", "conversation_id": 1}, "conversation_id"),
    ],
)
def test_a_malformed_body_is_unprocessable(caller: Caller, body: Any, field: str) -> None:
    response = caller.http.post(f"{caller.url}/v1/agent/{AGENT}/chat", json=body, headers=caller.bearer)
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", field]


def test_flags_may_be_strings(caller: Caller) -> None:
    assert caller.chat(streaming="true").headers["content-type"].startswith("text/event-stream")
    assert caller.chat(streaming="false").headers["content-type"] == "application/json"


def test_unknown_fields_are_recorded_and_ignored(simulator: Simulator, caller: Caller) -> None:
    assert caller.chat(temperature=1, deep_search_ks=False).status_code == 200
    assert simulator.requests("chat")[0]["unknown_fields"] == ["temperature"]


def test_a_conversation_gets_an_id_and_keeps_it(caller: Caller) -> None:
    first = caller.chat(use_conversation=True, conversation_id=None).json()["conversation_id"]
    assert is_ulid(first)
    assert caller.stream(use_conversation=True, conversation_id=first).final["conversation_id"] == first
    assert "conversation_id" not in caller.stream().final


def test_knowledge_is_reported_when_asked_for(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(knowledge=True)
    asked: dict[str, Any] = {
        "return_ks_in_response": True,
        "stackspot_knowledge": True,
        "knowledge_source_ids": ["house-style"],
    }
    final = caller.stream(**asked).final
    assert final["knowledge_source_id"] == ["house-style", "simulated-knowledge", "stackspot-knowledge"]
    assert [source["slug"] for source in final["source"]] == ["house-style", "simulated-knowledge"]
    assert [source["type"] for source in final["cross_account_source"]] == ["cross_account"]
    assert caller.chat(**asked).json()["source"] == final["source"]
    assert caller.chat().json()["source"] == []
    assert "source" not in caller.stream().final


def test_knowledge_costs_tokens(simulator: Simulator, caller: Caller) -> None:
    without = caller.chat().json()["tokens"]["input"]
    simulator.faults(knowledge=True, usage="user")
    tokens = caller.chat().json()["tokens"]
    assert (tokens["user"], tokens["enrichment"]) == (without, 25)


def test_agents_answer_by_themselves(simulator: Simulator, caller: Caller) -> None:
    simulator.answer("for the other", agent=OTHER_AGENT)
    assert caller.chat().json()["message"] != "for the other"
    assert caller.chat(agent=OTHER_AGENT).json()["message"] == "for the other"
