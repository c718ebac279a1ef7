"""Which upstream a model uses, and the options of its deployment."""

from typing import Any

import pytest

from custom_handlers.config.deployment import Deployment, parse, read_deployment, resolve_agent
from custom_handlers.core.errors import ConfigurationError, UnknownModelError
from custom_handlers.core.models import MODELS, canonical_model_name
from custom_handlers.http.timeouts import Timeouts
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
    assert canonical_model_name(name) == canonical_model_name(f"stackspot_ai/{name}") == own
    assert own in MODELS


@pytest.mark.parametrize(
    "name", ["gpt-4o", "stackspot_ai", "stackspot-ai", "Stackspot", "", "stackspot/stackspot-code"]
)
def test_other_names_stay_what_they_are(name: str) -> None:
    assert canonical_model_name(name) == name


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
        ({}, {"stackspot-ai-chat": TWO}, True, None),
        ({}, {}, False, None),
        # Whoever wrote the variable pressed return.
        ({FIELD: f" {ONE}\n"}, {}, False, ONE),
    ],
)
def test_the_upstream_is_chosen_by_data(
    info: dict[str, Any], environment: dict[str, str], has_key: bool, expected: str | None
) -> None:
    assert resolve_agent(read_deployment(info), CODE, environment, has_api_key=has_key) == expected


@pytest.mark.parametrize("info", [{}, {"id": "1", "db_model": False}])  # litellm.completion's and a Router's
def test_in_process_the_environment_decides(info: dict[str, Any]) -> None:
    deployment = read_deployment(info)
    assert resolve_agent(deployment, CODE, {CODE: TWO}, has_api_key=True, in_process=True) == TWO
    assert resolve_agent(deployment, CODE, {}, has_api_key=True, in_process=True) is None


def test_a_deployment_of_another_name_may_have_an_agent() -> None:
    assert resolve_agent(read_deployment({FIELD: ONE}), "team-style", {}, has_api_key=True) == ONE


@pytest.mark.parametrize("name", ["stackspot-ai-chats", "stackspot-", "gpt-4o", ""])
@pytest.mark.parametrize("in_process", [False, True])
def test_the_error_of_an_unknown_model_lists_the_valid_names(name: str, in_process: bool) -> None:
    with pytest.raises(UnknownModelError) as caught:
        resolve_agent(read_deployment({}), name, AGENTS, has_api_key=True, in_process=in_process)
    assert caught.value.param == "model"
    assert all(valid in caught.value.message for valid in ALL_NAMES)


def test_a_long_name_is_not_quoted_in_full() -> None:
    with pytest.raises(UnknownModelError) as caught:
        resolve_agent(Deployment(), "x" * 100_000, {}, has_api_key=True)
    assert len(caught.value.message) < 1000


def test_options_are_off_by_default() -> None:
    assert read_deployment({"mode": "chat"}) == Deployment()
    assert Deployment().timeouts() == Timeouts()


@pytest.mark.parametrize(
    ("option", "value", "meant"),
    [
        ("stackspot_knowledge", True, True),
        ("stackspot_knowledge", "true", True),
        ("stackspot_knowledge", "False", False),
        ("stackspot_deep_search", True, True),
        ("stackspot_thinking_open", True, True),
        ("stackspot_thinking_open", "false", False),
        ("stackspot_agent_version", 3, 3),
        ("stackspot_agent_version", "3", 3),
        ("stackspot_agent_version", None, None),
        ("stackspot_knowledge_source_ids", ["a", "b"], ("a", "b")),
        ("stackspot_knowledge_source_ids", [], ()),
        ("max_input_tokens", 272000, 272000),
        ("max_input_tokens", "90", 90),
    ],
)
def test_options(option: str, value: Any, meant: Any) -> None:
    assert getattr(read_deployment({option: value}), option) == meant


def test_an_option_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    info = {"stackspot_agent_version": "os.environ/AGENT_VERSION"}
    assert read_deployment(info).stackspot_agent_version is None
    monkeypatch.setenv("AGENT_VERSION", "7")
    assert read_deployment(info).stackspot_agent_version == 7


def test_a_model_info_is_parsed_once() -> None:
    info = {FIELD: ONE, "stackspot_knowledge_source_ids": ["a"], "id": "1"}
    assert read_deployment(info) is read_deployment({**info, "id": "2"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *cases("stackspot_knowledge", "yes", 1, "", []),
        *cases("stackspot_deep_search", "on", 0, {}),
        *cases("stackspot_agent_version", 0, -1, "latest", 1.5, True, [], "9" * 5000),
        *cases("stackspot_knowledge_source_ids", "one", [1], [""], {"a": "b"}, [None]),
        *(
            case
            for field in ("stackspot_first_byte_timeout", "stackspot_idle_timeout")
            for case in cases(field, 0, -1, True, "soon", float("nan"), float("inf"), [], 10**400)
        ),
        *cases("max_input_tokens", 0, -1, True, 1.5, "many", [], 10**400),
    ],
    ids=briefly,
)
def test_a_wrong_option_is_named(field: str, value: Any) -> None:
    deployment, mistakes = parse({FIELD: ONE, field: value})
    assert deployment == Deployment(stackspot_agent_id=ONE)
    assert len(mistakes) == 1
    assert mistakes[0].startswith(field)
    with pytest.raises(ConfigurationError, match=field):
        read_deployment({field: value})


def test_timeouts() -> None:
    assert read_deployment({}).timeouts(None) == Timeouts()
    info = {"stackspot_first_byte_timeout": 7, "stackspot_idle_timeout": 0.5}
    assert read_deployment(info).timeouts(30) == Timeouts(first_byte=7.0, idle=0.5, total=30)
    assert read_deployment({"stackspot_idle_timeout": "90"}).timeouts().idle == 90


def test_a_misspelt_option_of_a_model_that_no_start_has_checked_is_an_error_of_its_calls() -> None:
    read_deployment({"mode": "chat", FIELD: ONE, "id": "1"})
    for name in ("stackspot_agentid", "STACKSPOT_AGENTID"):
        with pytest.raises(ConfigurationError, match=f"{name} is no option; did you mean stackspot_agent_id"):
            read_deployment({"mode": "chat", name: ONE})


@pytest.mark.parametrize("name", ["stackspot_idle_timout", "stackspot_knowlege", "stackspt_agent_id"])
def test_a_misspelt_option_is_found_by_the_check_at_start(name: str) -> None:
    _, mistakes = parse({name: "x"})
    assert len(mistakes) == 1
    assert mistakes[0].startswith(f"{name} is no option; did you mean stackspot_")
