"""What the environment says, and every mistake in it, told together and without a secret."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handlers.config.settings import SWITCHES, Settings, read_settings
from custom_handlers.core.errors import ConfigurationError
from custom_handlers.pacing.quota import Quota
from tests.harness import AGENTS
from tests.unit.custom_handlers.config.given import CHAT, NAMES, SECRET, WITH_AGENTS, WITH_KEY, mistakes, model


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
