"""The deployments of a configuration file, and every mistake in them, told together and without a secret."""

import textwrap
from pathlib import Path

import pytest

from custom_handlers.config.settings import ModelEntry, read, read_model_list, read_settings
from custom_handlers.core.errors import ConfigurationError
from tests.harness import AGENTS, ROOT
from tests.unit.custom_handlers.config.given import CHAT, SECRET, WITH_AGENTS, WITH_KEY, mistakes, model


def entries(tmp_path: Path, text: str) -> list[ModelEntry]:
    config = tmp_path / "config.yaml"
    config.write_text(textwrap.dedent(text), encoding="utf-8")
    return read_model_list(config)


def test_the_repositorys_own_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CHAT", "CODE", "ASSISTANT"):
        monkeypatch.delenv(f"STACKSPOT_{name}_AGENT_ID", raising=False)
    monkeypatch.setenv("STACKSPOT_CODE_AGENT_ID", CHAT)
    found = read_model_list(ROOT / "litellm_config.yaml")
    assert [(each.name, each.model) for each in found] == [(name, name) for name in AGENTS]
    assert [each.info["stackspot_agent_id"] for each in found] == [None, CHAT, None]


def test_only_this_providers_deployments_count(tmp_path: Path) -> None:
    found = entries(
        tmp_path,
        """
        model_list:
          - {model_name: gpt, litellm_params: {model: openai/gpt-4o}}
          - {model_name: mine, litellm_params: {model: stackspot_ai/stackspot-code}, model_info: {mode: chat}}
          - {model_name: broken}
          - nonsense
        """,
    )
    assert found == [ModelEntry("mine", "stackspot-ai-code", {"mode": "chat"})]


@pytest.mark.parametrize("text", ["", "model_list:", "model_list: {}", "[]", "model_list: [{litellm_params: []}]"])
def test_a_configuration_without_deployments(tmp_path: Path, text: str) -> None:
    assert entries(tmp_path, text) == []
    assert read_settings({}, []).agent_ids == {}


def test_values_from_the_environment_are_looked_up_however_deep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE", "one")
    (found,) = entries(
        tmp_path,
        """
        model_list:
          - model_name: mine
            litellm_params: {model: stackspot_ai/stackspot-code}
            model_info: {stackspot_knowledge_source_ids: [os.environ/SOURCE, os.environ/UNSET], x: os.environ/UNSET}
        """,
    )
    assert found.info == {"stackspot_knowledge_source_ids": ["one", None], "x": None}
    (reported,) = mistakes(WITH_AGENTS, [found])
    assert "stackspot_knowledge_source_ids" in reported


@pytest.mark.parametrize(
    "text",
    [
        "model_list: [",
        "a: *unknown",
        "\0",
        "when: 2024-13-45",
        "model_list: [{model_name: m, litellm_params: {model: stackspot_ai/stackspot-code}, model_info: [1]}]",
        "model_list: [{model_name: m, litellm_params: {model: stackspot_ai/stackspot-code}, model_info: text}]",
    ],
)
def test_a_configuration_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"config\.yaml"):
        entries(tmp_path, text)


def test_a_configuration_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xfa")
    for name in ("none.yaml", "bytes.yaml", "."):
        with pytest.raises(ConfigurationError, match="cannot be read"):
            read_model_list(tmp_path / name)


def test_a_model_needs_an_agent_or_a_key() -> None:
    reported = mistakes({}, [model()])
    start = "Model stackspot-ai-code has neither an agent nor a key: set STACKSPOT_CODE_AGENT_ID (or"
    assert reported[0].startswith(start)
    assert [mistake.split()[0] for mistake in reported[1:]] == [
        "STACKSPOT_REALM",
        "STACKSPOT_CLIENT_ID",
        "STACKSPOT_CLIENT_SECRET",
    ]
    assert read_settings(WITH_KEY, [model()])
    assert read_settings(WITH_AGENTS, [model()])
    assert read_settings({**WITH_AGENTS, "STACKSPOT_AGENT_ID": ""}, [model({"stackspot_agent_id": CHAT})])


def test_an_agent_in_the_configuration_needs_credentials() -> None:
    reported = mistakes(WITH_KEY, [model({"stackspot_agent_id": CHAT})])
    assert [mistake.split()[0] for mistake in reported] == [
        "STACKSPOT_REALM",
        "STACKSPOT_CLIENT_ID",
        "STACKSPOT_CLIENT_SECRET",
    ]


def test_an_agent_id_in_the_configuration_is_checked() -> None:
    (reported,) = mistakes(WITH_AGENTS, [model({"stackspot_agent_id": SECRET})])
    assert reported.startswith("Model stackspot-ai-code: ")
    assert "ULID" in reported


def test_a_wrong_agent_id_of_the_environment_is_reported_once() -> None:
    environ = {**WITH_AGENTS, "STACKSPOT_CODE_AGENT_ID": "wrong"}
    assert len(mistakes(environ, [model({"stackspot_agent_id": "wrong"})])) == 1


def test_blanks_around_an_agent_id_of_the_environment_are_forgiven_in_a_configuration() -> None:
    environ = {**WITH_AGENTS, "STACKSPOT_CODE_AGENT_ID": f"{CHAT}\n"}
    assert read_settings(environ, [model({"stackspot_agent_id": f"{CHAT}\n"})])


def test_an_unknown_model_in_the_configuration() -> None:
    (reported,) = mistakes({**WITH_KEY, "STACKSPOT_AGENT_ID": ""}, [model(name="stackspot-ai-poet")])
    assert "stackspot-ai-poet" in reported
    assert "stackspot-ai-chat" in reported


@pytest.mark.parametrize(
    ("option", "meant"),
    [
        ("stackspot_idle_timout", "stackspot_idle_timeout"),
        ("stackspot_knowlege", "stackspot_knowledge"),
        ("stackspot_agentid", "stackspot_agent_id"),
        ("STACKSPOT_AGENT_ID", "stackspot_agent_id"),
        ("stakspot_agent_id", "stackspot_agent_id"),
        ("stackspot_knowledge_sources_ids", "stackspot_knowledge_source_ids"),
    ],
)
@pytest.mark.parametrize("environ", [WITH_AGENTS, {**WITH_AGENTS, **WITH_KEY}, WITH_KEY])
def test_a_misspelt_option_is_a_mistake(environ: dict[str, str], option: str, meant: str) -> None:
    assert mistakes(environ, [model({option: CHAT, "mode": "chat"})]) == [
        f"Model stackspot-ai-code: {option} is no option; did you mean {meant}?"
    ]


def test_the_same_mistake_of_several_models_is_one_line() -> None:
    models = [model({"stackspot_idle_timeout": 0}, name) for name in AGENTS]
    (reported,) = mistakes(WITH_AGENTS, models)
    assert reported.startswith(
        "Models stackspot-ai-chat, stackspot-ai-code and stackspot-ai-assistant: stackspot_idle_"
    )


def test_every_wrong_option_of_a_model_is_reported() -> None:
    reported = mistakes(WITH_AGENTS, [model({"stackspot_idle_timeout": 0, "stackspot_first_byte_timeout": -1})])
    assert len(reported) == 2


OWN = """
    model_list:
      - model_name: mine
        litellm_params: {model: stackspot_ai/stackspot-code, stackspot_agent_id: os.environ/STACKSPOT_AGENTID}
        model_info: {mode: chat, stackspot_agent_id: os.environ/STACKSPOT_REVIEW_AGENT_ID}
"""


def test_an_option_in_the_wrong_place_and_a_variable_that_is_not_set(tmp_path: Path) -> None:
    reported = mistakes(WITH_AGENTS, entries(tmp_path, OWN))
    assert reported == [
        "The configuration names STACKSPOT_REVIEW_AGENT_ID, which is not set; did you mean STACKSPOT_AGENT_ID?",
        "The configuration names STACKSPOT_AGENTID, which is not set; did you mean STACKSPOT_AGENT_ID?",
        "Model mine: stackspot_agent_id stands in litellm_params, but belongs into model_info.",
    ]


def test_the_configuration_may_bring_variables_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOT_REVIEW_AGENT_ID", CHAT)
    text = OWN.replace("stackspot_agent_id: os.environ/STACKSPOT_AGENTID", "timeout: 9")
    assert read_settings({**WITH_AGENTS, "STACKSPOT_REVIEW_AGENT_ID": CHAT}, entries(tmp_path, text))


@pytest.mark.parametrize("name", ["stackspot/stackspot-ai-code", "stackspot_a1/stackspot-code", "stackspot-ai-code"])
def test_a_misspelt_provider_is_a_mistake(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Model mine: its `model` is .* has to begin with stackspot_ai/"):
        entries(tmp_path, f"model_list: [{{model_name: mine, litellm_params: {{model: {name}}}}}]")


def test_the_mistakes_of_environment_and_file_are_reported_together(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    entry = "{model_name: m, litellm_params: {model: stackspot_ai/stackspot-code}, model_info: {stackspot_idle: 1}}"
    for text, reported in (
        ("model_list: [", "config.yaml cannot be read"),
        (f"model_list: [{entry}]", "stackspot_idle is no option"),
        (f"model_list: [{entry.replace('{stackspot_idle: 1}', '[1]')}]", "is not a mapping"),
    ):
        config.write_text(text)
        with pytest.raises(ConfigurationError, match=reported) as caught:
            read({"STACKSPOT_REALM": "acme", "STACKSPOT_LOG_CONTENT": "perhaps"}, config)
        assert "STACKSPOT_LOG_CONTENT must be" in str(caught.value)
        assert "STACKSPOT_CLIENT_ID is missing" in str(caught.value)
