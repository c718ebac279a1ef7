"""Administrators with a name of their own, the shared login closed, and prices of a contract, as variables set them."""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from custom_handlers.guard.banner import SENTENCE
from simulator.client import Simulator
from tests.developers import ask, hire, spend
from tests.gateway.administration.conftest import Make, make_for
from tests.harness import WITHOUT_TLS, Account, Server, running_gateway
from tests.unit.gateway.test_cli import gateway
from tests.waiting import eventually

PASSWORD = "Correct-horse-42"
ANA = "ana@example.com"
PRICES = {"STACKSPOT_INPUT_COST_PER_TOKEN": "0.0000025", "STACKSPOT_OUTPUT_COST_PER_TOKEN": "0.00001"}


@pytest.fixture(scope="module")
def strict_server(
    account: Account, simulator_server: Server, database_variables: dict[str, str], logs: Path
) -> Iterator[Server]:
    """The gateway of a team, with named logins only and a contract's prices."""
    environ = {**account.for_gateway(simulator_server.url), **database_variables, **PRICES}
    environ |= {"LITELLM_SALT_KEY": "salt-of-this-test", "UI_USERNAME": "admin", "UI_PASSWORD": "shared-password"}
    with running_gateway(environ | {"STACKSPOT_NAMED_LOGINS_ONLY": "true"}, logs / "strict-gateway.log") as server:
        yield replace(server, ui_password="shared-password")


@pytest.fixture
def strict(strict_server: Server, simulator: Simulator) -> Server:
    return strict_server


@pytest.fixture
def strict_make(strict: Server) -> Make:
    return make_for(strict)


def call(gateway: Server, method: str, path: str, key: str = "", **more: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    with httpx.Client(base_url=gateway.url, timeout=60, trust_env=False, verify=WITHOUT_TLS) as http:
        return http.request(method, path, headers=headers, **more)


def sign_in(gateway: Server, name: str, password: str) -> httpx.Response:
    return call(gateway, "POST", "/v2/login", json={"username": name, "password": password})


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


def choose_password(gateway: Server, link: str) -> None:
    """What the page behind the link does."""
    [invitation] = re.findall(rf"^{re.escape(gateway.url)}/ui/onboarding\?invitation_id=([0-9a-f-]+)$", link)
    page = call(gateway, "GET", f"/onboarding/get_token?invite_link={invitation}").json()
    [token] = re.findall(r"token=([^&]+)", page["login_url"])
    body = {"invitation_link": invitation, "user_id": ANA, "password": PASSWORD}
    claimed = call(gateway, "POST", "/onboarding/claim_token", claims(token)["key"], json=body)
    assert claimed.status_code == 200, claimed.text


def test_a_named_administrator_from_invitation_to_leaving(strict: Server, strict_make: Make) -> None:
    assert "no named administrators yet" in strict_make("admin").stdout
    made = strict_make("admin", f"NAME={ANA}")
    assert made.returncode == 0, made.stderr
    choose_password(strict, made.stdout.strip())
    assert ANA in strict_make("admin").stdout

    assert sign_in(strict, ANA, "wrong").status_code == 401
    session = claims(sign_in(strict, ANA, PASSWORD).json()["token"])["key"]
    listed = call(strict, "GET", "/key/list", session)
    assert listed.status_code == 200, listed.text
    assert sign_in(strict, "admin", strict.ui_password).status_code == 401
    # What the UI's banner about the shared login shows, page by page.
    warnings = call(strict, "GET", "/health/deployment_warnings", session).json()["warnings"]
    assert "env_credential_login" not in str(warnings)

    again = strict_make("admin", f"NAME={ANA}")  # a forgotten password
    choose_password(strict, again.stdout.strip())

    removed = gateway("admins", "remove", ANA, GATEWAY_URL=strict.url, LITELLM_MASTER_KEY=strict.key)
    assert removed.returncode == 0, removed.stderr
    assert sign_in(strict, ANA, PASSWORD).status_code == 401
    eventually(lambda: call(strict, "GET", "/key/list", session).status_code == 401, "the session has ended")


def test_a_developers_name_is_no_administrators(strict: Server, strict_make: Make) -> None:
    developer = hire(strict, "dev")
    made = strict_make("admin", f"NAME={developer.name}")
    assert (made.returncode, made.stdout) == (2, "")
    assert made.stderr.startswith(f"{developer.name} is a developer's name")


def test_the_shared_login_works_and_is_warned_of_until_then(team_gateway: Server) -> None:
    assert sign_in(team_gateway, "admin", team_gateway.ui_password).status_code == 200
    warnings = call(team_gateway, "GET", "/health/deployment_warnings", team_gateway.key).json()["warnings"]
    assert "env_credential_login" in str(warnings)


def test_spend_is_counted_in_the_contracts_prices(strict: Server) -> None:
    developer = hire(strict, "paying", max_budget=5)
    used = ask(strict, developer).json()["usage"]
    expected = used["prompt_tokens"] * 2.5e-6 + used["completion_tokens"] * 1e-5
    eventually(lambda: spend(strict, developer) > 0, "the spend is written")
    assert spend(strict, developer) == pytest.approx(expected)


def test_everyone_is_told_what_a_unit_is_whoever_makes_keys(team_gateway: Server, strict: Server) -> None:
    """Nothing has been made with our own commands at the first gateway for this; the second has a contract's prices."""
    told = call(team_gateway, "GET", "/get/user_banner", team_gateway.key).json()
    assert told.items() >= {"enabled": True, "message": SENTENCE, "severity": "info"}.items()
    assert call(strict, "GET", "/get/user_banner", strict.key).json()["enabled"] is False
