"""Doctor with more than one account: each has its credentials looked at, and its agents asked."""

from pathlib import Path

import pytest

from gateway import names
from gateway.doctor import configuration
from gateway.doctor.agents import agents_of
from simulator.client import Simulator
from tests.gateway.blocks import OTHER_ACCOUNT, OWN_AGENT, TWO_ACCOUNTS, with_blocks
from tests.unit.gateway.doctor.conftest import Doctor

TEAM_B_AGENT, REVIEWER_AGENT = "01J00000000000000000TEAMB0", "01J0000000000000000REV1EW0"
TEAM_B = {
    "STACKSPOT_TEAM_B_REALM": "department-b",
    "STACKSPOT_TEAM_B_CLIENT_ID": "client-of-b",
    "STACKSPOT_TEAM_B_CLIENT_SECRET": "secret-of-b",
    "STACKSPOT_TEAM_B_AGENT_ID": TEAM_B_AGENT,
}


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, simulator: Simulator) -> Simulator:
    """The documented blocks in litellm_config.yaml, and the second account in the simulator."""
    config = tmp_path / "litellm_config.yaml"
    config.write_text(with_blocks([OWN_AGENT, OTHER_ACCOUNT, TWO_ACCOUNTS]))
    for module in (names, configuration):
        monkeypatch.setattr(module, "CONFIGURATIONS", (str(config),))
    simulator.add_account("department-b", "client-of-b", "secret-of-b")
    simulator.add_agent(TEAM_B_AGENT, client_id="client-of-b")
    simulator.add_agent(REVIEWER_AGENT)
    return simulator


def test_every_account_is_examined(doctor: Doctor, configured: Simulator) -> None:
    found = doctor(**TEAM_B)
    assert found.told("configuration")[0] == "ok"
    assert found.told("token endpoint") == ("ok", "reached, and it gives a token", "")
    assert found.told("token endpoint of team-b") == ("ok", "reached, and it gives a token", "")
    assert found.told("agent reviewer")[0] == "ok"
    assert found.told("agent team-b-chat, stackspot-ai-chat") == ("ok", "answers", "")
    assert found.told("clock")[0] == "ok"
    paths = [record["path"] for record in configured.requests("/chat")]
    assert len(paths) == len(set(paths)) == 5
    assert found.settings["STACKSPOT_TEAM_B_REALM"]["value"] == "department-b"
    assert found.settings["STACKSPOT_TEAM_B_CLIENT_SECRET"]["value"] == "present"
    assert "secret-of-b" not in found.out


def test_what_is_wrong_is_told_with_the_accounts_own_variables(doctor: Doctor, configured: Simulator) -> None:
    found = doctor(**{**TEAM_B, "STACKSPOT_TEAM_B_CLIENT_SECRET": "wrong"})
    outcome, _, advice = found.told("token endpoint of team-b")
    assert outcome == "failure"
    assert advice == ("Check STACKSPOT_TEAM_B_REALM, STACKSPOT_TEAM_B_CLIENT_ID and STACKSPOT_TEAM_B_CLIENT_SECRET.")
    assert found.told("token endpoint")[0] == "ok"
    without = doctor(**{**TEAM_B, "STACKSPOT_TEAM_B_CLIENT_SECRET": ""})
    assert without.told("credentials of team-b") == (
        "failure",
        "missing: STACKSPOT_TEAM_B_CLIENT_SECRET",
        "Set STACKSPOT_TEAM_B_CLIENT_SECRET.",
    )
    assert without.settings["STACKSPOT_TEAM_B_CLIENT_SECRET"]["source"] == "missing"


def test_agents_by_account() -> None:
    text = with_blocks([OWN_AGENT, OTHER_ACCOUNT, TWO_ACCOUNTS]) + "  # - model_name: not-this\n"
    env = {**TEAM_B, "STACKSPOT_AGENT_ID": "01J0000000000000000000CHAT"}
    three = "stackspot-ai-chat, stackspot-ai-code, stackspot-ai-assistant"
    assert agents_of("", env, text) == {"01J0000000000000000000CHAT": three, REVIEWER_AGENT: "reviewer"}
    assert agents_of("team-b", env, text) == {TEAM_B_AGENT: "team-b-chat, stackspot-ai-chat"}
