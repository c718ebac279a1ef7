"""Doctor against the simulator, with each fault of it that doctor can meet."""

from typing import Any

import pytest

from gateway.doctor import stackspot
from simulator.client import Simulator
from tests.sampling import every, first
from tests.unit.gateway.doctor.conftest import Doctor

AGENT = "agent stackspot-ai-chat"
STREAM, USAGE = f"stream of {AGENT}", f"usage of {AGENT}"


@pytest.fixture(autouse=True)
def less_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some tests wait for its end."""
    monkeypatch.setattr(stackspot, "TOKEN_SECONDS", 2.0)
    monkeypatch.setattr(stackspot, "AGENT_SECONDS", 3.0)


def test_all_is_well(doctor: Doctor, simulator: Simulator) -> None:
    found = doctor()
    assert found.status == 0, found.out
    assert found.told("configuration")[0] == "ok"
    assert found.told("token endpoint") == ("ok", "reached, and it gives a token", "")
    assert found.told("clock")[0] == "ok"
    for agent in ("chat", "code", "assistant"):
        assert found.told(f"agent stackspot-ai-{agent}") == ("ok", "answers", "")
        assert found.told(f"stream of agent stackspot-ai-{agent}")[0] == "ok"
    assert found.told(USAGE) == ("ok", "counts in input, output", "")
    for store in ("Postgres", "Redis", "gateway"):
        assert found.told(store)[0] == "note"


def test_no_agent_is_asked(doctor: Doctor, simulator: Simulator) -> None:
    found = doctor("--no-agents")
    assert found.told("agents") == ("note", "not asked (--no-agents)", "")
    assert simulator.requests("/chat") == []
    assert len(simulator.requests("/oidc/oauth/token")) == 1


def test_an_agent_of_three_models_is_asked_once(doctor: Doctor, simulator: Simulator) -> None:
    chat = "01J0000000000000000000CHAT"
    found = doctor(STACKSPOT_CODE_AGENT_ID=chat, STACKSPOT_ASSISTANT_AGENT_ID=chat)
    models = "stackspot-ai-chat, stackspot-ai-code, stackspot-ai-assistant"
    assert found.told(f"agent {models}")[0] == "ok"
    assert len(simulator.requests("/chat")) == 1


@pytest.mark.parametrize(
    "wrong",
    first([{"STACKSPOT_CLIENT_SECRET": "not-this"}, {"STACKSPOT_REALM": "nobody"}, {"STACKSPOT_CLIENT_ID": "x"}]),
)
def test_credentials_that_are_wrong(doctor: Doctor, wrong: dict[str, str]) -> None:
    found = doctor(**wrong)
    outcome, message, advice = found.told("token endpoint")
    assert (outcome, message.partition(" (")[0]) == ("failure", "the credentials are refused")
    assert advice == "Check STACKSPOT_REALM, STACKSPOT_CLIENT_ID and STACKSPOT_CLIENT_SECRET."
    assert found.told(AGENT) == ("note", "not asked: there is no token", "")
    assert "not-this" not in found.out


def test_all_that_is_missing_is_told_in_one_run(doctor: Doctor) -> None:
    found = doctor(STACKSPOT_CLIENT_ID="", STACKSPOT_CLIENT_SECRET="", LITELLM_MASTER_KEY="", REDIS_HOST="no.invalid")
    assert found.told("token endpoint") == ("ok", "reached, and not asked for a token", "")
    outcome, message, advice = found.told("credentials")
    assert (outcome, message) == ("failure", "missing: STACKSPOT_CLIENT_ID, STACKSPOT_CLIENT_SECRET")
    assert advice == "Set STACKSPOT_CLIENT_ID, STACKSPOT_CLIENT_SECRET."
    told = " ".join(each["message"] for each in found.checks if each["check"] == "configuration")
    for name in ("LITELLM_MASTER_KEY", "STACKSPOT_CLIENT_ID", "STACKSPOT_CLIENT_SECRET"):
        assert f"{name} is missing: " in told
    assert found.told("Redis")[0] == "failure"


def test_a_misspelt_setting(doctor: Doctor) -> None:
    found = doctor(STACKSPOT_REALMS="acme")
    told = [each["message"] for each in found.checks if each["check"] == "configuration"]
    assert any(message.startswith("STACKSPOT_REALMS is not a setting of the gateway") for message in told)


@pytest.mark.parametrize(
    ("fault", "message", "variable"),
    [
        ({"status": 500}, "answers HTTP 500", "STACKSPOT_IDM_URL"),
        ({"html": True}, "answers HTTP 502", "HTTPS_PROXY"),
        ({"html": True, "status": 200}, "answers without a usable token", "HTTPS_PROXY"),
        ({"status": 200, "body": {"access_token": 7}}, "answers without a usable token", "STACKSPOT_IDM_URL"),
        ({"redirect": "https://login.invalid"}, "answers with a redirect (HTTP 302)", "STACKSPOT_IDM_URL"),
        ({"status": 407}, "the company's proxy wants a login (HTTP 407)", "HTTPS_PROXY"),
        ({"disconnect": "close"}, "127.0.0.1 broke the connection off (RemoteProtocolError)", "STACKSPOT_IDM_URL"),
        ({"disconnect": "reset"}, "127.0.0.1 broke the connection off (ReadError)", "STACKSPOT_IDM_URL"),
        ({"header_delay": 30.0}, "127.0.0.1 takes the connection and stays silent", "STACKSPOT_IDM_URL"),
    ],
)
def test_a_token_endpoint_in_trouble(
    doctor: Doctor, simulator: Simulator, fault: dict[str, Any], message: str, variable: str
) -> None:
    simulator.faults(**fault, target="token")
    outcome, told, advice = doctor().told("token endpoint")
    assert (outcome, told) == ("failure", message)
    assert variable in advice


@pytest.mark.parametrize(("seconds", "direction"), [(3600, "ahead of"), (-3600, "behind")])
def test_a_clock_that_is_wrong(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch, seconds: int, direction: str, simulator: Simulator
) -> None:
    from email.utils import formatdate
    from time import time

    simulator.faults(headers={"Date": formatdate(time() - seconds, usegmt=True)}, target="token")
    outcome, message, advice = doctor("--no-agents").told("clock")
    assert outcome == "failure"
    assert f" s {direction} StackSpot's" in message
    assert "NTP" in advice


@pytest.mark.parametrize(
    ("fault", "outcome", "message", "advice"),
    [
        ({"status": 401}, "failure", "the token is refused (HTTP 401)", "STACKSPOT_CLIENT_SECRET"),
        (
            {"not_shared": True},
            "failure",
            "unknown, or not shared with the client key (HTTP 403)",
            "STACKSPOT_AGENT_ID",
        ),
        ({"status": 404}, "failure", "unknown, or not shared with the client key (HTTP 404)", "STACKSPOT_AGENT_ID"),
        ({"status": 429}, "warning", "the account's request limit is reached", "STACKSPOT_REQUESTS_PER_MINUTE"),
        ({"token_limit": 1}, "failure", "the request is refused (HTTP 400)", "portal"),
        ({"status": 503}, "failure", "answers HTTP 503", "STACKSPOT_INFERENCE_URL"),
        ({"html": True}, "failure", "answers HTTP 502", "HTTPS_PROXY"),
        ({"disconnect": "reset"}, "failure", "127.0.0.1 broke the connection off", "STACKSPOT_INFERENCE_URL"),
        ({"header_delay": 30.0}, "failure", "127.0.0.1 takes the connection and stays", "STACKSPOT_INFERENCE_URL"),
        ({"first_byte_delay": 30.0}, "warning", "took the prompt, and sent no text in 3 s", "slow"),
        ({"endless_empties": True}, "warning", "took the prompt, and sent no text in 3 s", "portal"),
        ({"empty_answer": True}, "failure", "the answer holds no text", "content filter"),
        ({"null_message": True}, "failure", "the answer holds no text", "content filter"),
        ({"break_after": 2}, "failure", "the answer broke off (RemoteProtocolError)", "HTTPS_PROXY"),
        ({"error_after": 1}, "failure", "reports an error in its answer", "portal"),
        ({"error_after": 1, "error_form": "event"}, "failure", "reports an error in its answer", "portal"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_an_agent_in_trouble(
    doctor: Doctor, simulator: Simulator, fault: dict[str, Any], outcome: str, message: str, advice: str
) -> None:
    simulator.faults(**fault, target="01J0000000000000000000CHAT")
    found = doctor()
    told = found.told(AGENT)
    assert told[0] == outcome
    assert told[1].startswith(message)
    assert advice in told[2]
    assert found.told("agent stackspot-ai-code")[0] == "ok", "the others are asked all the same"


@pytest.mark.parametrize(
    ("fault", "check", "message"),
    [
        ({"json_instead": True}, STREAM, "a plain answer came in place of a stream"),
        ({"final_object": False}, STREAM, "ends without its final object"),
        ({"non_json": True}, STREAM, "1 lines are not as the wire reference tells them"),
        ({"non_text": True}, STREAM, "1 lines are not as the wire reference tells them"),
        ({"stall_after": 3}, STREAM, "not at its end after 3 s"),
        ({"usage": "absent"}, USAGE, "the answer counts no tokens"),
        ({"usage": "null"}, USAGE, "the answer counts no tokens"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_an_answer_that_is_not_as_told(
    doctor: Doctor, simulator: Simulator, fault: dict[str, Any], check: str, message: str
) -> None:
    simulator.faults(**fault, target="01J0000000000000000000CHAT")
    simulator.answer("One, two, three, four, five, six.", agent="01J0000000000000000000CHAT")
    found = doctor()
    outcome, told, advice = found.told(check)
    assert (outcome, told) == ("warning", message)
    assert advice
    assert found.told(AGENT)[0] == "ok"
    assert found.status == 0, "a warning is no failure"


@pytest.mark.parametrize(
    "variant",
    every(3, [
        {"line_end": "lf"}, {"line_end": "cr"}, {"comments": True}, {"done": True}, {"delta_form": "full"},
        {"cut_bytes": 3}, {"pieces": "surrogates"}, {"usage_as_strings": True}, {"stop_reason": "null"}, {"empties": 3},
    ]),
    ids=str,
)  # fmt: skip
def test_what_the_reference_knows_is_no_fault(doctor: Doctor, simulator: Simulator, variant: dict[str, Any]) -> None:
    simulator.faults(**variant)
    found = doctor()
    assert [each for each in found.checks if each["outcome"] in ("warning", "failure")] == []
