"""What the configuration says about one deployment decides, by data, which upstream it asks and with what."""

from typing import Any

import pytest

from simulator.client import Simulator
from tests.gateway.calling import Caller
from tests.gateway.conftest import IMPATIENT, INFORMED
from tests.gateway.test_models import streamed_and_not
from tests.harness import AGENTS


@streamed_and_not
def test_an_agent_s_options_go_upstream(key_caller: Caller, simulator: Simulator, stream: bool) -> None:
    assert key_caller.ask(model=INFORMED, stream=stream).finish == "stop"
    (record,) = simulator.requests("/v1/agent/")
    assert record["unknown_fields"] == []
    assert record["body"] == {
        "user_prompt": "Hi",
        "streaming": True,
        "stackspot_knowledge": True,
        "deep_search_ks": True,
        "knowledge_source_ids": ["handbook"],
        "return_ks_in_response": True,
        "agent_version_number": 3,
    }


def knowledge_of(answer: Any) -> Any:
    return (answer.get("provider_specific_fields") or {}).get("stackspot_knowledge")


@streamed_and_not
def test_knowledge_that_was_used_comes_back(key_caller: Caller, simulator: Simulator, stream: bool) -> None:
    simulator.answer("An answer out of books.")
    reply = key_caller.ask(model=INFORMED, stream=stream)
    parts = [choice["delta" if stream else "message"] for choice in reply.choices]
    (told,) = [knowledge for part in parts if (knowledge := knowledge_of(part))]
    assert told["knowledge_source_id"] == ["handbook", "stackspot-knowledge"]
    assert [source["slug"] for source in told["source"]] == ["handbook"]
    assert [source["slug"] for source in told["cross_account_source"]] == ["stackspot-knowledge"]
    assert reply.text == "An answer out of books."


@pytest.mark.parametrize("model", ["stackspot", IMPATIENT])
def test_nothing_of_it_by_default(key_caller: Caller, simulator: Simulator, caller: Caller, model: str) -> None:
    reply = (caller if model == "stackspot" else key_caller).ask(model=model)
    # Answered: an earlier test may have ended the gateway's token.
    bodies = [record["body"] for record in simulator.requests("/v1/agent/") if record["status"] == 200]
    assert bodies == [{"user_prompt": "Hi", "streaming": True, "stackspot_knowledge": False}]
    assert knowledge_of(reply.choices[0]["message"]) is None


def test_one_gateway_asks_both_upstreams(key_caller: Caller, simulator: Simulator) -> None:
    key_caller.ask(model="stackspot")
    key_caller.ask(model=INFORMED)
    paths = [record["path"] for record in simulator.requests() if "/oidc/" not in record["path"]]
    assert paths == ["/v1/chat/completions", f"/v1/agent/{AGENTS['stackspot-ai-chat']}/chat"]
