"""The token endpoint (reference, section 2)."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from simulator.client import Simulator
from tests.harness import Account, running_simulator
from tests.unit.simulator.calling import AGENT, Caller


def test_the_answer_has_keycloaks_fields(caller: Caller) -> None:
    response = caller.ask_token()
    assert response.status_code == 200
    token = response.json()
    assert token["expires_in"] == 1199
    assert token["token_type"] == "Bearer"
    assert token["access_token"].count(".") == 2
    assert {"refresh_expires_in", "scope", "session_state", "not-before-policy"} <= token.keys()


@pytest.mark.parametrize(
    ("realm", "fields", "status", "error"),
    [
        (None, {"client_secret": "wrong"}, 401, "invalid_client"),
        (None, {"client_id": "wrong"}, 401, "invalid_client"),
        ("elsewhere", {}, 404, "Realm does not exist"),
        (None, {"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_wrong_credential_is_refused(
    caller: Caller, realm: str | None, fields: dict[str, str], status: int, error: str
) -> None:
    response = caller.ask_token(realm, **fields)
    assert (response.status_code, response.json()["error"]) == (status, error)


def test_only_a_form_is_understood(caller: Caller) -> None:
    body = {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}
    response = caller.http.post(f"{caller.url}/{caller.account.realm}/oidc/oauth/token", json=body)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_a_token_ends_with_its_life(account: Account, tmp_path: Path) -> None:
    with running_simulator(account, tmp_path / "log", "--token-life", "0.4") as server, httpx.Client() as http:
        caller = Caller(server.url, account, http)
        assert caller.chat().status_code == 200
        time.sleep(0.5)
        assert caller.chat().status_code == 401
        caller.token = ""
        assert caller.chat().status_code == 200


def test_revoked_tokens_are_refused_in_mid_life(simulator: Simulator, caller: Caller) -> None:
    assert caller.chat().status_code == 200
    assert simulator.revoke_tokens() >= 1
    assert caller.chat().status_code == 401
    assert simulator.state()["tokens_live"] == 0
    simulator.reset()
    assert caller.chat().status_code == 200, "the next test knows nothing of it"


def test_another_account_can_be_added(simulator: Simulator, caller: Caller) -> None:
    simulator.add_account("globex", "second", "its key")
    other = Account("globex", "second", "its key", "")
    assert Caller(caller.url, other, caller.http).chat(agent=AGENT).status_code == 200


def test_an_account_has_agents_of_its_own_and_can_be_cut_off(simulator: Simulator, caller: Caller) -> None:
    simulator.add_account("globex", "third", "its key")
    own = "01J00000000000000000G10BEX"
    simulator.add_agent(own, client_id="third")
    third = Caller(caller.url, Account("globex", "third", "its key", ""), caller.http)
    assert third.chat(agent=own).status_code == 200
    assert caller.chat(agent=own).status_code == 403
    simulator.cut_off("third")
    assert third.chat(agent=own).status_code == 401
    assert third.ask_token().status_code == 401
    assert caller.chat(agent=AGENT).status_code == 200
    simulator.reset()
    assert third.chat(agent=own).status_code == 200


def test_token_requests_are_counted(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(target="token", header_delay=0.3)
    with ThreadPoolExecutor(3) as pool:
        assert all(r.status_code == 200 for r in pool.map(lambda _: caller.ask_token(), range(3)))
    caller.ask_token(client_secret="wrong")
    state = simulator.state()
    assert state["tokens_issued"] == 3
    assert state["token_requests"] == 4
    assert state["max_concurrent_token_requests"] == 3


def test_the_token_endpoint_can_fail_by_itself(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(target="token", html=True, status=503, times=1)
    refused = caller.ask_token()
    assert (refused.status_code, refused.headers["content-type"]) == (503, "text/html")
    assert caller.ask_token().status_code == 200
    assert caller.chat().status_code == 200
