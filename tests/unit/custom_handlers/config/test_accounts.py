"""More than one account: whose settings are whose, and every mistake in them, told together."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from custom_handlers.config import accounts
from custom_handlers.config.config_file import ModelEntry
from custom_handlers.config.settings import KNOWN, Settings, read, read_settings
from custom_handlers.core.errors import ConfigurationError
from custom_handlers.pacing.quota import Quota
from tests.gateway.blocks import FALLBACK, OTHER_ACCOUNT, OWN_AGENT, TWO_ACCOUNTS, with_blocks
from tests.harness import AGENTS

CHAT, CODE = AGENTS["stackspot-ai-chat"], AGENTS["stackspot-ai-code"]
DEFAULT = {
    "STACKSPOT_REALM": "acme",
    "STACKSPOT_CLIENT_ID": "client",
    "STACKSPOT_CLIENT_SECRET": "first-secret",
    "STACKSPOT_AGENT_ID": CHAT,
}
TEAM_B = {
    "STACKSPOT_TEAM_B_REALM": "department-b",
    "STACKSPOT_TEAM_B_CLIENT_ID": "client-b",
    "STACKSPOT_TEAM_B_CLIENT_SECRET": "second-secret",
    "STACKSPOT_TEAM_B_AGENT_ID": CODE,
}
BOTH = {**DEFAULT, **TEAM_B}


def entry(account: Any = None, name: str = "stackspot-ai-chat", **info: Any) -> ModelEntry:
    return ModelEntry(name, name, info if account is None else {**info, "stackspot_account": account})


def mistakes(environ: Mapping[str, str], *entries: ModelEntry) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read_settings(environ, entries)
    assert "secret" not in str(caught.value).replace("the secret, which", "")
    return caught.value.mistakes


def of_team_b(environ: Mapping[str, str]) -> Settings:
    return read_settings(environ, [entry(), entry("team-b")]).others["team-b"]


def test_each_account_has_its_own_credentials() -> None:
    settings = read_settings({**BOTH, "STACKSPOT_API_KEY": "sk-first"}, [entry(), entry("team-b")])
    other = settings.others["team-b"]
    assert (settings.account, settings.realm, settings.client_id) == ("", "acme", "client")
    assert (other.account, other.realm, other.client_id) == ("team-b", "department-b", "client-b")
    assert (other.client_secret, other.api_key) == ("second-secret", ""), "nothing of the default account's"
    assert (settings.agent_ids["stackspot-ai-chat"], other.agent_ids["stackspot-ai-chat"]) == (CHAT, CODE)
    assert other.idm_url == settings.idm_url
    assert "secret'" not in repr(settings)


def test_what_an_account_does_not_set_it_has_from_the_general_settings() -> None:
    general = {"STACKSPOT_REQUESTS_PER_MINUTE": "50", "STACKSPOT_BURST": "3", "STACKSPOT_UPLOADS": "true"}
    assert of_team_b(BOTH).quota == Quota()
    assert of_team_b({**BOTH, **general}).quota == Quota(50, 3)
    assert of_team_b({**BOTH, **general}).uploads
    own = {"STACKSPOT_TEAM_B_REQUESTS_PER_MINUTE": "7", "STACKSPOT_TEAM_B_UPLOADS": "false"}
    assert of_team_b({**BOTH, **general, **own}).quota == Quota(7, 3)
    assert not of_team_b({**BOTH, **general, **own}).uploads
    assert of_team_b({**BOTH, **general, "STACKSPOT_TEAM_B_REQUESTS_PER_MINUTE": "0"}).quota is None


def test_the_secret_goes_by_two_names_there_too() -> None:
    environ = {name: value for name, value in BOTH.items() if name != "STACKSPOT_TEAM_B_CLIENT_SECRET"}
    assert of_team_b({**environ, "STACKSPOT_TEAM_B_CLIENT_KEY": "by-key"}).client_secret == "by-key"


def test_an_account_may_have_a_key_alone() -> None:
    other = read_settings({**DEFAULT, "STACKSPOT_TEAM_B_API_KEY": "second"}, [entry(), entry("team-b")]).others[
        "team-b"
    ]
    assert (other.api_key, other.client_id, other.agent_ids) == ("sk-second", "", {})


def test_the_default_account_is_not_needed_when_no_model_asks_it() -> None:
    assert read_settings(TEAM_B, [entry("team-b")]).client_id == ""


def test_the_mistakes_of_all_accounts_are_told_together() -> None:
    environ = {**BOTH, "STACKSPOT_TEAM_B_REALM": "", "STACKSPOT_TEAM_B_BURST": "many", "STACKSPOT_CLIENT_ID": "<id>"}
    environ |= {"STACKSPOT_TEAM_B_CLIENT_SECRTE": "x", "STACKSPOT_MAX_QUEUE": "none", "STACKSPOT_TEAM_B_UPLOADS": "si"}
    found = mistakes(environ, entry(), entry("team-b"), entry("team-c"))
    beginnings = {
        "STACKSPOT_TEAM_B_CLIENT_SECRTE is not a setting of the gateway; did you mean STACKSPOT_TEAM_B_CLIENT_SECRET?",
        "STACKSPOT_TEAM_B_REALM is missing: the account's slug",
        "STACKSPOT_TEAM_B_BURST must be a whole number",
        "STACKSPOT_TEAM_B_UPLOADS must be true or false.",
        "STACKSPOT_CLIENT_ID holds blanks, control characters or a placeholder",
        "STACKSPOT_MAX_QUEUE must be a whole number",
        "Model stackspot-ai-chat has neither an agent nor a key: set STACKSPOT_TEAM_C_AGENT_ID to the id",
        "STACKSPOT_TEAM_C_REALM is missing",
        "STACKSPOT_TEAM_C_CLIENT_ID is missing",
        "STACKSPOT_TEAM_C_CLIENT_SECRET is missing",
    }
    assert {beginning for beginning in beginnings for each in found if each.startswith(beginning)} == beginnings
    assert len(found) == len(beginnings), "each once, though two accounts inherit one of them"
    assert not any("STACKSPOT_CHAT_AGENT_ID" in each for each in found)


def test_an_account_that_no_model_names() -> None:
    found = mistakes({**BOTH, "STACKSPOT_TEAM_C_REALM": "c"}, entry(), entry("team-b"))
    assert found == [
        "STACKSPOT_TEAM_C_REALM is not a setting of the gateway, as no model names an account team-c "
        "(stackspot_account); did you mean STACKSPOT_TEAM_B_REALM?"
    ]


def test_two_names_for_one_account() -> None:
    same = {**BOTH, "STACKSPOT_TEAM_B_REALM": "acme", "STACKSPOT_TEAM_B_CLIENT_ID": "client"}
    of_c = {name.replace("TEAM_B", "TEAM_C"): value for name, value in TEAM_B.items()}
    end = "at StackSpot they are one account, with one limit. Take stackspot_account: "
    [told] = mistakes(same, entry(), entry("team-b"))
    assert told.startswith(f"STACKSPOT_TEAM_B_CLIENT_ID is that of the default account: {end}team-b out of its models;")
    [told] = mistakes({**BOTH, **of_c}, entry(), entry("team-b"), entry("team-c"))
    assert told.startswith(f"STACKSPOT_TEAM_C_CLIENT_ID is that of account team-b: {end}team-c out of its models, or")
    keys = {"STACKSPOT_API_KEY": "second", "STACKSPOT_TEAM_B_API_KEY": "sk-second"}
    [told] = mistakes({**BOTH, **keys}, entry(), entry("team-b"))
    assert told.startswith("STACKSPOT_TEAM_B_API_KEY is that of the default account: ")
    assert read_settings(same, [entry("team-b")]), "the default account, which no model asks, is in nobody's way"
    elsewhere = {**same, "STACKSPOT_TEAM_B_REALM": "other"}
    assert read_settings(elsewhere, [entry(), entry("team-b")]), "the same client's name, in another realm"


@pytest.mark.parametrize("name", ["Team-B", "team b", "team_b", "team--b", "Team.B"])
def test_a_name_has_small_letters_digits_and_dashes(name: str) -> None:
    assert mistakes(BOTH, entry(), entry(name)) == [
        f"Model stackspot-ai-chat: stackspot_account is {name!r}, but must be a name of small letters, digits and "
        "single dashes, such as team-b."
    ]


@pytest.mark.parametrize("name", ["", "é", "-", "b" * 41, 7, ["team-b"]])
def test_what_is_no_name_at_all(name: Any) -> None:
    [found] = [each for each in mistakes(DEFAULT, entry(), entry(name)) if "stackspot_account is" in each]
    assert len(found) < 300


@pytest.mark.parametrize("name", ["chat", "code", "assistant"])
def test_a_name_whose_variables_are_settings_already_is_refused(name: str) -> None:
    environ = {**DEFAULT, f"STACKSPOT_{name.upper()}_AGENT_ID": CODE, f"STACKSPOT_{name.upper()}_REALM": "x"}
    assert mistakes(environ, entry(), entry(name)) == [
        f"No account can have the name {name} (stackspot_account): STACKSPOT_{name.upper()}_AGENT_ID is a setting of "
        "the default one."
    ]


def test_no_other_name_collides() -> None:
    names = ["max", "log", "client", "api", "gateway", "team", "team-client", "team-api", "agent", "requests-per"]
    every = [variable for name in names for variable in accounts.variables(name)]
    assert len(every) == len({*every, *KNOWN}) - len(KNOWN)
    environ = {**DEFAULT}
    for name in names:
        environ |= {variable.replace("TEAM_B", name.upper().replace("-", "_")): v for variable, v in TEAM_B.items()}
        environ[f"{accounts.prefix(name)}REALM"] = name
    assert list(read_settings(environ, [entry(), *map(entry, names)]).others) == names


def test_the_documented_blocks_are_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "litellm_config.yaml"
    config.write_text(with_blocks([OWN_AGENT, OTHER_ACCOUNT, TWO_ACCOUNTS, FALLBACK]))
    with pytest.raises(ConfigurationError) as caught:
        read({**BOTH, "STACKSPOT_TEAM_B_AGENT_ID": ""}, config)
    assert "Model team-b-chat: its stackspot_agent_id is empty, and the key API has no model team-b-chat." in (
        caught.value.mistakes
    )
    monkeypatch.setenv("STACKSPOT_TEAM_B_AGENT_ID", CODE)
    settings = read(BOTH, config)
    assert list(settings.others) == ["team-b"]
    assert accounts.named_in(config.read_text()) == ("team-b",)


def test_deployments_that_litellm_takes_for_one_are_a_mistake(tmp_path: Path) -> None:
    config = tmp_path / "litellm_config.yaml"
    without_id = with_blocks([TWO_ACCOUNTS]).replace("      id: stackspot-ai-chat-of-team-b\n", "")
    config.write_text(without_id)
    with pytest.raises(ConfigurationError) as caught:
        read(BOTH, config)
    assert caught.value.mistakes == [
        "Model stackspot-ai-chat has 2 deployments that LiteLLM takes for one: give each an `id` of its own in "
        "model_info."
    ]
