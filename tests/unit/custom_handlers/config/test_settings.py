"""What the environment and the configuration say, and every mistake in them, told together and without a secret."""

import re
import textwrap
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handlers.config.settings import SWITCHES, ModelEntry, Settings, read, read_model_list, read_settings
from custom_handlers.core.errors import ConfigurationError
from custom_handlers.pacing.quota import Quota
from tests.harness import AGENTS, ROOT

CHAT = AGENTS["stackspot-ai-chat"]
SECRET = "Kp3-vErYsEcReT"
WITH_AGENTS = {
    "STACKSPOT_REALM": "acme",
    "STACKSPOT_CLIENT_ID": "client",
    "STACKSPOT_CLIENT_SECRET": SECRET,
    "STACKSPOT_AGENT_ID": CHAT,
}
WITH_KEY = {"STACKSPOT_API_KEY": f"sk-{SECRET}"}
NAMES = [
    *WITH_AGENTS,
    *WITH_KEY,
    "STACKSPOT_CLIENT_KEY",
    "STACKSPOT_CHAT_AGENT_ID",
    "STACKSPOT_CODE_AGENT_ID",
    "STACKSPOT_ASSISTANT_AGENT_ID",
    "STACKSPOT_API_BASE",
    "STACKSPOT_IDM_URL",
    "STACKSPOT_INFERENCE_URL",
    "STACKSPOT_UPLOAD_URL",
    "STACKSPOT_LOG_CONTENT",
    "STACKSPOT_UPLOADS",
    "STACKSPOT_FETCH_IMAGES",
    "STACKSPOT_MASK_PERSONAL_DATA",
]


def mistakes(environ: Mapping[str, str], deployments: list[ModelEntry] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(environ, deployments)
    assert SECRET not in str(caught.value)
    return caught.value.mistakes


def model(info: dict[str, Any] | None = None, name: str = "stackspot-ai-code") -> ModelEntry:
    return ModelEntry(name, name, info or {})


def test_agents_for_all_models() -> None:
    assert read_settings(WITH_AGENTS) == Settings(
        realm="acme",
        client_id="client",
        client_secret=SECRET,
        api_key="",
        agent_ids=dict.fromkeys(AGENTS, CHAT),
        api_base="https://api.stackspot.com/v1",
        idm_url="https://idm.stackspot.com",
        inference_url="https://genai-inference-app.stackspot.com",
        upload_url="https://data-integration-api.stackspot.com",
        quota=Quota(),
        in_process=True,
    )


def test_an_agent_for_each_model() -> None:
    own = {f"STACKSPOT_{kind}_AGENT_ID": AGENTS[f"stackspot-ai-{kind.lower()}"] for kind in ("CHAT", "CODE")}
    settings = read_settings({**WITH_AGENTS, **own, "STACKSPOT_AGENT_ID": AGENTS["stackspot-ai-assistant"]})
    assert settings.agent_ids == AGENTS


@pytest.mark.parametrize("key", [f"sk-{SECRET}", SECRET, f"  {SECRET}\n"])
def test_the_key_gets_its_prefix_when_it_is_missing(key: str) -> None:
    assert read_settings({"STACKSPOT_API_KEY": key}).api_key == f"sk-{SECRET}"


def test_the_secret_goes_by_two_names() -> None:
    environ = {name: value for name, value in WITH_AGENTS.items() if name != "STACKSPOT_CLIENT_SECRET"}
    assert read_settings({**environ, "STACKSPOT_CLIENT_KEY": SECRET}).client_secret == SECRET
    assert read_settings({**WITH_AGENTS, "STACKSPOT_CLIENT_KEY": SECRET}).client_secret == SECRET
    reported = mistakes({**WITH_AGENTS, "STACKSPOT_CLIENT_KEY": f"other-{SECRET}"})
    assert len(reported) == 1
    assert "differ" in reported[0]


def test_blanks_around_values_are_forgiven() -> None:
    assert read_settings({name: f" {value}\r\n" for name, value in WITH_AGENTS.items()}) == read_settings(WITH_AGENTS)


def test_secrets_are_not_shown() -> None:
    settings = read_settings({**WITH_AGENTS, **WITH_KEY})
    assert SECRET not in repr(settings)
    assert settings.client_secret == SECRET
    assert settings.api_key == f"sk-{SECRET}"


def test_nothing_set_at_all_names_everything_once() -> None:
    reported = mistakes({})
    assert reported[0].startswith("Models stackspot-ai-chat, stackspot-ai-code and stackspot-ai-assistant have neither")
    assert "portal" in reported[0]
    needed = [
        "STACKSPOT_AGENT_ID",
        "STACKSPOT_CHAT_AGENT_ID",
        "STACKSPOT_CODE_AGENT_ID",
        "STACKSPOT_ASSISTANT_AGENT_ID",
        "STACKSPOT_API_KEY",
        "STACKSPOT_REALM",
        "STACKSPOT_CLIENT_ID",
        "STACKSPOT_CLIENT_SECRET",
    ]
    assert Counter(re.findall(r"STACKSPOT_\w+", " ".join(reported))) == dict.fromkeys(needed, 1)
    assert len(reported) == 4


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("STACKSPOT_AGENTID", "STACKSPOT_AGENT_ID"),
        ("STACKSPOT_AGENT_IDS", "STACKSPOT_AGENT_ID"),
        ("STACKSPOT_CLIENT_SECRETE", "STACKSPOT_CLIENT_SECRET"),
        ("Stackspot_realm", "STACKSPOT_REALM"),
        ("stackspot_client_id", "STACKSPOT_CLIENT_ID"),
        ("STACKSPOTREALM", "STACKSPOT_REALM"),
        ("STACKSPOT_LOGLEVEL", "STACKSPOT_LOG_LEVEL"),
        ("STACKSPOT_INFERENCE_URI", "STACKSPOT_INFERENCE_URL"),
    ],
)
def test_a_misspelt_setting_is_a_mistake(name: str, meant: str) -> None:
    assert mistakes({**WITH_AGENTS, name: SECRET}) == [f"{name} is not a setting of the gateway; did you mean {meant}?"]


def test_an_unknown_setting_that_is_like_none_is_a_mistake_too() -> None:
    assert mistakes({**WITH_AGENTS, "STACKSPOT_ZZZZZZ_QQQQQQQQQQQQ": "x"}) == [
        "STACKSPOT_ZZZZZZ_QQQQQQQQQQQQ is not a setting of the gateway."
    ]


def test_the_clients_own_key_and_other_programs_variables_are_no_mistakes() -> None:
    others = {"STACKSPOT_GATEWAY_KEY": "sk-mine", "STK_REALM": "x", "MY_STACKSPOT": "x", "STACKSPOT_OLD": ""}
    assert read_settings({**WITH_AGENTS, **others}) == read_settings(WITH_AGENTS)


def test_every_mistake_is_reported_at_once() -> None:
    reported = mistakes(
        {
            "STACKSPOT_REALM": "acme",
            "STACKSPOT_CODE_AGENT_ID": "not-a-ulid",
            "STACKSPOT_API_KEY": f"{SECRET} with blanks",
            "STACKSPOT_API_BASE": "http://api.example.com",
            "STACKSPOT_IDM_URL": "ftp://idm.example.com",
            "STACKSPOT_INFERENCE_URL": "https://user:password@example.com",
            "STACKSPOT_LOG_CONTENT": "perhaps",
            "STACKSPOT_LOG_LEVEL": "LOUD",
            "STACKSPOT_MAX_BODY_MB": "many",
            "STACKSPOT_MAX_JSON_DEPTH": "1000",
            "STACKSPOT_BURST": "0",
        },
        [
            model({"stackspot_idle_timeout": 0, "max_input_tokens": "many", "stackspot_agent_id": "mine"}),
            model({"stackspot_knowledge": "maybe", "stackspot_agentid": "x"}, "stackspot-ai-chat"),
        ],
    )
    named = [
        "STACKSPOT_CLIENT_ID is missing",
        "STACKSPOT_CLIENT_SECRET is missing",
        "STACKSPOT_CODE_AGENT_ID is not a ULID",
        "STACKSPOT_API_KEY is malformed",
        "STACKSPOT_API_BASE is a plain-http address",
        "STACKSPOT_IDM_URL is not an address",
        "STACKSPOT_INFERENCE_URL must hold no user",
        "STACKSPOT_LOG_CONTENT must be true or false",
        "STACKSPOT_LOG_LEVEL must be one of",
        "STACKSPOT_MAX_BODY_MB must be a whole number from 1 to 1000",
        "STACKSPOT_MAX_JSON_DEPTH must be a whole number from 1 to 250",
        "STACKSPOT_BURST must be a whole number from 1 to 1000000",
        "Model stackspot-ai-code: stackspot_idle_timeout",
        "Model stackspot-ai-code: max_input_tokens is 'many'",
        "Model stackspot-ai-code: the agent id is not a ULID",
        "Model stackspot-ai-chat: stackspot_knowledge is 'maybe'",
        "Model stackspot-ai-chat: stackspot_agentid is no option; did you mean stackspot_agent_id?",
    ]
    assert all(any(name in mistake for mistake in reported) for name in named), reported
    assert len(reported) == len(named)


@pytest.mark.parametrize("name", ["STACKSPOT_REALM", "STACKSPOT_CLIENT_ID", "STACKSPOT_CLIENT_SECRET"])
@pytest.mark.parametrize("others", [WITH_AGENTS, {**WITH_KEY, **WITH_AGENTS}])
def test_credentials_are_complete_or_not_there(name: str, others: dict[str, str]) -> None:
    reported = mistakes({**others, name: "  "})
    assert len(reported) == 1
    assert name in reported[0]
    assert "StackSpot portal" in reported[0]
    assert mistakes({**WITH_KEY, name: "value"})  # one alone is a mistake even where the key API is enough


@pytest.mark.parametrize("value", [f"{SECRET} x", f"<{SECRET}>", f"{SECRET}\0", f"{SECRET}é", f"a\nb{SECRET}"])
@pytest.mark.parametrize("name", ["STACKSPOT_CLIENT_ID", "STACKSPOT_CLIENT_SECRET", "STACKSPOT_REALM"])
def test_malformed_credentials(name: str, value: str) -> None:
    (reported,) = mistakes({**WITH_AGENTS, name: value})
    assert name in reported


@pytest.mark.parametrize("realm", ["../admin", "a/b", "acme?x=1", "-acme", "acme%2f"])
def test_a_realm_is_a_slug(realm: str) -> None:
    (reported,) = mistakes({**WITH_AGENTS, "STACKSPOT_REALM": realm})
    assert "STACKSPOT_REALM" in reported


@pytest.mark.parametrize("key", ["sk-", f"sk-{SECRET} x", f"<{SECRET}>", f"{SECRET}ü", "\x00"])
def test_a_malformed_key(key: str) -> None:
    (reported,) = mistakes({"STACKSPOT_API_KEY": key})
    assert "STACKSPOT_API_KEY is malformed" in reported


@pytest.mark.parametrize("agent_id", ["x", CHAT.lower(), CHAT[:-1], f"{CHAT}0", SECRET])
def test_agent_ids_are_ulids(agent_id: str) -> None:
    for name in ("STACKSPOT_AGENT_ID", "STACKSPOT_CODE_AGENT_ID"):
        (reported,) = mistakes({**WITH_AGENTS, name: agent_id})
        assert f"{name} is not a ULID" in reported
        assert "portal" in reported


@pytest.mark.parametrize(
    "address",
    [
        "https://stackspot.example.com",
        "https://stackspot.example.com:8443/base/",
        "http://127.0.0.1:8080",
        "http://127.8.8.8",
        "http://localhost:1",
        "http://[::1]:8080",
        "HTTPS://EXAMPLE.COM",
    ],
)
def test_addresses_that_are_allowed(address: str) -> None:
    settings = read_settings({**WITH_AGENTS, "STACKSPOT_INFERENCE_URL": address})
    assert settings.inference_url == address.rstrip("/")


@pytest.mark.parametrize(
    "address",
    [
        "http://stackspot.example.com",
        "http://0.0.0.0:8080",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "http://2130706433",
        "http://[::]:8080",
        "ftp://localhost",
        "file:///etc/passwd",
        "stackspot.example.com",
        "https://",
        "https:///path",
        "https://example.com:port",
        "https://example.com:99999",
        "https://[::1",
        "https://user@example.com",
        f"https://user:{SECRET}@example.com",
        f"https://example.com?key={SECRET}",
        "https://example.com#part",
        "https://exam ple.com",
        "https://example\n.com",
    ],
)
@pytest.mark.parametrize("name", ["STACKSPOT_API_BASE", "STACKSPOT_IDM_URL", "STACKSPOT_INFERENCE_URL"])
def test_addresses_that_are_refused(name: str, address: str) -> None:
    (reported,) = mistakes({**WITH_AGENTS, name: address})
    assert name in reported


@pytest.mark.parametrize(
    ("value", "expected"), [("true", True), ("TRUE", True), ("false", False), ("", False), (" true ", True)]
)
def test_switches(value: str, expected: bool) -> None:
    settings = read_settings({**WITH_AGENTS, **dict.fromkeys(SWITCHES, value)})
    found = [settings.log_content, settings.access_log, settings.uploads, settings.fetch_images]
    found += [settings.mask_personal_data]
    assert found == [expected] * 5  # the sixth is LiteLLM's to read
    assert len(mistakes({**WITH_AGENTS, **dict.fromkeys(SWITCHES, "1")})) == len(SWITCHES)


@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        st.sampled_from([CHAT, "acme", "https://example.com", "http://example.com", "true"])
        | st.text(max_size=8).map(lambda text: text + SECRET),
    )
)
def test_whatever_is_set_is_settings_or_mistakes(environ: dict[str, str]) -> None:
    try:
        settings = read_settings(environ)
    except ConfigurationError as error:
        reported = str(error)
    else:
        reported = repr(
            Settings(**{**{name: getattr(settings, name) for name in settings.__slots__}, "client_id": "", "realm": ""})
        )
    assert SECRET not in reported.replace(f"https://{SECRET}", "")


# The deployments of a configuration file


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
