"""Which upstream a model uses, and the options of its deployment."""

from typing import Any

import pytest

from custom_handlers import routing
from custom_handlers.upstream.agents_api import Agent
from custom_handlers.wire.errors import GatewayFault, UnknownModel
from custom_handlers.wire.transport import Limits
from tests.harness import AGENTS, ALIASES, ALL_NAMES


def briefly(value: object) -> str:
    return repr(value)[:20]


def cases(field: str, *values: Any) -> list[tuple[str, Any]]:
    return [(field, value) for value in values]


ONE, TWO = AGENTS["stackspot-ai-chat"], AGENTS["stackspot-ai-code"]
FIELD = "stackspot_agent_id"
CODE = "stackspot-ai-code"


@pytest.mark.parametrize("name", ALL_NAMES)
def test_names_and_aliases(name: str) -> None:
    own = ALIASES.get(name, name)
    assert routing.canonical(name) == routing.canonical(f"stackspot_ai/{name}") == own
    assert own in routing.MODELS


@pytest.mark.parametrize(
    "name", ["gpt-4o", "stackspot_ai", "stackspot-ai", "Stackspot", "", "stackspot/stackspot-code"]
)
def test_other_names_stay_what_they_are(name: str) -> None:
    assert routing.canonical(name) == name


@pytest.mark.parametrize(
    ("info", "environment", "has_key", "expected"),
    [
        # Through the proxy: the deployment's own field decides.
        ({FIELD: ONE}, {}, False, ONE),
        ({FIELD: ONE}, {CODE: TWO}, True, ONE),
        ({"mode": "chat"}, {CODE: TWO}, True, None),
        ({"mode": "chat"}, {}, True, None),
        # Its variable is not set: the environment's default agent, else the key API.
        ({FIELD: None}, {CODE: TWO}, True, TWO),
        ({FIELD: ""}, {CODE: TWO}, True, TWO),
        ({FIELD: " "}, {CODE: TWO}, True, TWO),
        ({FIELD: None}, {}, True, None),
        # Without a key, the agent is all there is.
        ({"mode": "chat"}, {CODE: TWO}, False, TWO),
        # In-process there is no deployment.
        ({}, {CODE: TWO}, True, TWO),
        ({}, {"stackspot-ai-chat": TWO}, True, None),
        ({}, {}, False, None),
        # Whoever wrote the variable pressed return.
        ({FIELD: f" {ONE}\n"}, {}, False, ONE),
    ],
)
def test_the_upstream_is_chosen_by_data(
    info: dict[str, Any], environment: dict[str, str], has_key: bool, expected: str | None
) -> None:
    assert routing.agent_id_for(CODE, info, environment, has_api_key=has_key) == expected


def test_a_deployment_of_another_name_may_have_an_agent() -> None:
    assert routing.agent_id_for("house-style", {FIELD: ONE}, {}, has_api_key=True) == ONE


@pytest.mark.parametrize("name", ["stackspot-ai-chats", "stackspot-", "gpt-4o", ""])
@pytest.mark.parametrize("info", [{}, {"mode": "chat"}])
def test_an_unknown_model_is_told_the_valid_names(name: str, info: dict[str, Any]) -> None:
    with pytest.raises(UnknownModel) as caught:
        routing.agent_id_for(name, info, AGENTS, has_api_key=True)
    assert caught.value.param == "model"
    assert all(valid in caught.value.message for valid in ALL_NAMES)


def test_a_long_name_is_not_told_back_in_full() -> None:
    with pytest.raises(UnknownModel) as caught:
        routing.agent_id_for("x" * 100_000, {}, {}, has_api_key=True)
    assert len(caught.value.message) < 1000


def test_options_are_off_by_default() -> None:
    assert routing.agent(ONE, {"mode": "chat"}) == Agent(ONE)


@pytest.mark.parametrize(
    ("info", "agent"),
    [
        ({"stackspot_knowledge": True}, Agent(ONE, knowledge=True)),
        ({"stackspot_knowledge": "true"}, Agent(ONE, knowledge=True)),
        ({"stackspot_knowledge": "False"}, Agent(ONE)),
        ({"stackspot_deep_search": True}, Agent(ONE, deep_search=True)),
        ({"stackspot_thinking_open": True}, Agent(ONE, thinking_open=True)),
        ({"stackspot_agent_version": 3}, Agent(ONE, version=3)),
        ({"stackspot_agent_version": "3"}, Agent(ONE, version=3)),
        ({"stackspot_agent_version": None}, Agent(ONE)),
        ({"stackspot_knowledge_source_ids": ["a", "b"]}, Agent(ONE, knowledge_source_ids=("a", "b"))),
        ({"stackspot_knowledge_source_ids": []}, Agent(ONE)),
    ],
)
def test_options(info: dict[str, Any], agent: Agent) -> None:
    assert routing.agent(ONE, info) == agent


def test_an_option_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    info = {"stackspot_agent_version": "os.environ/AGENT_VERSION"}
    assert routing.agent(ONE, info) == Agent(ONE)
    monkeypatch.setenv("AGENT_VERSION", "7")
    assert routing.agent(ONE, info) == Agent(ONE, version=7)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *cases("stackspot_knowledge", "yes", 1, "", []),
        *cases("stackspot_deep_search", "on", 0, {}),
        *cases("stackspot_thinking_open", "on", 1, "<think>"),
        *cases("stackspot_agent_version", 0, -1, "latest", 1.5, True, [], "9" * 5000),
        *cases("stackspot_knowledge_source_ids", "one", [1], [""], {"a": "b"}, [None]),
    ],
    ids=briefly,
)
def test_a_wrong_option_is_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        routing.agent(ONE, {field: value})


def test_an_agent_id_that_is_none() -> None:
    with pytest.raises(ValueError, match="not a ULID") as caught:
        routing.agent("not-an-agent", {})
    assert "not-an-agent" not in str(caught.value)  # it may be a secret in the wrong place


def test_time_limits() -> None:
    assert routing.limits({}, None) == Limits()
    info = {"stackspot_first_byte_timeout": 7, "stackspot_idle_timeout": 0.5}
    assert routing.limits(info, 30) == Limits(first_byte=7.0, idle=0.5, total=30)
    assert routing.limits({"stackspot_idle_timeout": "90"}, None).idle == 90


@pytest.mark.parametrize("field", ["stackspot_first_byte_timeout", "stackspot_idle_timeout"])
@pytest.mark.parametrize("value", [0, -1, True, "soon", float("nan"), float("inf"), [], 10**400], ids=briefly)
def test_a_wrong_time_limit_is_named(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=field):
        routing.limits({field: value}, None)


def test_the_longest_prompt() -> None:
    assert routing.context_limit({}) is None
    assert routing.context_limit({"max_input_tokens": 272000}) == 272000
    assert routing.context_limit({"max_input_tokens": "90"}) == 90


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "many", [], 10**400], ids=briefly)
def test_a_wrong_longest_prompt_is_named(value: Any) -> None:
    with pytest.raises(ValueError, match="max_input_tokens"):
        routing.context_limit({"max_input_tokens": value})


def test_a_misspelt_option_of_a_model_that_no_start_has_checked_is_told_to_its_caller() -> None:
    routing.refuse_unknown_options({"mode": "chat", FIELD: ONE, "id": "1"})
    with pytest.raises(GatewayFault, match="stackspot_agentid is no option; did you mean stackspot_agent_id"):
        routing.refuse_unknown_options({"mode": "chat", "stackspot_agentid": ONE})
