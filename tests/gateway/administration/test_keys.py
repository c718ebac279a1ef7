"""`make key`, `make keys`, `make revoke`, `make team`, as an administrator uses them."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from gateway.keys import DEFAULTS
from gateway.processes import ALL_NAMES
from tests.gateway.administration.conftest import Developer, Make
from tests.harness import WITHOUT_TLS, Server, free_port
from tests.sampling import every, first


def line_of(name: str, table: str) -> str:
    [line] = [line for line in table.splitlines() if line.startswith(f"{name} ")]
    return re.sub(r" {2,}", " | ", line)


def test_a_key_is_shown_once_and_works(make: Make, team_gateway: Server) -> None:
    run = make("key", "NAME=anna")
    assert run.returncode == 0, run.stderr
    assert re.fullmatch(r"sk-[\w-]{20,}\n", run.stdout), "the key, and nothing else, is for a pipe"
    key = run.stdout.strip()
    expires = (datetime.now(UTC) + timedelta(days=90)).date()
    assert "50 / 30d (million tokens at the default price)" in run.stderr
    assert f"expires  {expires}" in run.stderr
    assert Developer(team_gateway, key).ask().status_code == 200
    listed = make("keys")
    assert line_of("anna", listed.stdout).endswith("| all six names")
    for output in (run.stderr, listed.stdout, make("key", "NAME=anna").stderr):
        assert key not in output
        assert team_gateway.key not in output


def test_all_settings_reach_litellm(make: Make, team_gateway: Server) -> None:
    assert make("team", "NAME=settings-team").returncode == 0
    words = "TEAM=settings-team BUDGET=2.5 PERIOD=7d RPM=11 TPM=2200 MODELS=stackspot,stackspot-code EXPIRES=12h"
    run = make("key", "NAME=bob", *words.split())
    assert run.returncode == 0, run.stderr
    headers = {"Authorization": f"Bearer {run.stdout.strip()}"}
    info = httpx.get(f"{team_gateway.url}/key/info", headers=headers, verify=WITHOUT_TLS).json()["info"]
    assert (info["key_alias"], info["user_id"], info["team_id"]) == ("bob", "bob", "settings-team")
    assert (info["max_budget"], info["budget_duration"]) == (2.5, "7d")
    assert (info["rpm_limit"], info["tpm_limit"]) == (11, 2200)
    assert info["models"] == ["stackspot", "stackspot-code"]
    left = datetime.fromisoformat(info["expires"]) - datetime.now(UTC)
    assert timedelta(hours=11.9) < left <= timedelta(hours=12)


def test_defaults_come_from_the_environment(make: Make) -> None:
    run = make("key", "NAME=carla", KEY_BUDGET="7", KEY_PERIOD="1d", KEY_RPM="3", KEY_TPM="900", KEY_MODELS="stackspot")
    assert run.returncode == 0, run.stderr
    assert line_of("carla", make("keys").stdout).startswith("carla | - | 0 | 7 / 1d | 3 | 900 | ")
    assert set(DEFAULTS["models"]) == set(ALL_NAMES)


def test_a_second_key_is_refused_unless_asked_for(make: Make, developer: Callable[..., Developer]) -> None:
    first = developer("dora", "BUDGET=3")
    assert first.ask().status_code == 200
    refused = make("key", "NAME=dora")
    assert refused.returncode == 2
    assert refused.stderr.startswith("dora has a key already: ROTATE=1 replaces it")
    assert refused.stdout == ""
    second = developer("dora", "ROTATE=1")
    assert second.key != first.key
    assert first.ask().status_code == 401
    assert second.ask().status_code == 200
    assert " 3 / 30d " in line_of("dora", make("keys").stdout).replace("|", " ").replace("   ", " ")


def test_settings_change_without_a_new_key(make: Make, developer: Callable[..., Developer]) -> None:
    eva = developer("eva", "MODELS=stackspot", "EXPIRES=30d")
    assert eva.ask(model="stackspot-code").status_code == 403
    run = make("key", "NAME=eva", "UPDATE=1", "MODELS=stackspot-code", "BUDGET=none", "EXPIRES=none")
    assert run.returncode == 0, run.stderr
    assert run.stdout == ""
    assert eva.ask(model="stackspot-code").status_code == 200
    # between the team and the last use, but for the spend, which the answer above may or may not be part of yet
    assert line_of("eva", make("keys").stdout).split(" | ")[3:7] == ["-", "1,000", "-", "-"]


def test_a_weight_is_set_changed_kept_and_lifted(
    make: Make, team_gateway: Server, developer: Callable[..., Developer]
) -> None:
    def weight(key: str) -> Any:
        info = httpx.get(
            f"{team_gateway.url}/key/info", headers={"Authorization": f"Bearer {key}"}, verify=WITHOUT_TLS
        ).json()["info"]
        return info["metadata"].get("stackspot_weight")

    wanda = developer("wanda", "WEIGHT=2.5")
    assert weight(wanda.key) == 2.5
    assert make("key", "NAME=wanda", "UPDATE=1", "RPM=70").returncode == 0
    assert weight(wanda.key) == 2.5
    wanda = developer("wanda", "ROTATE=1")
    assert weight(wanda.key) == 2.5
    for given, kept in (("4", 4), ("none", None)):
        assert make("key", "NAME=wanda", "UPDATE=1", f"WEIGHT={given}").returncode == 0
        assert weight(wanda.key) == kept
    refused = make("key", "NAME=wanda", "UPDATE=1", "WEIGHT=1e3")
    assert refused.stderr.startswith("WEIGHT is '1e3': it has to be a number from 0.1 to 100, or none.\n")
    headers = {"Authorization": f"Bearer {team_gateway.key}"}
    for words, share in ((["WEIGHT=3"], 3.0), (["RPM=900"], 3.0), (["WEIGHT=0.5"], 0.5)):
        assert make("team", "NAME=heavy-team", *words).returncode == 0
        info = httpx.get(
            f"{team_gateway.url}/team/info", params={"team_id": "heavy-team"}, headers=headers, verify=WITHOUT_TLS
        ).json()
        assert info["team_info"]["metadata"]["stackspot_weight"] == share


def test_a_revoked_key_is_refused_at_once(make: Make, developer: Callable[..., Developer]) -> None:
    fred = developer("fred")
    assert fred.ask().status_code == 200
    assert make("revoke", "NAME=fred").returncode == 0
    refused = fred.ask()
    assert refused.status_code == 401
    assert refused.json()["error"]["message"] == "Authentication Error, Invalid API key provided."
    assert make("revoke", "NAME=fred").stderr.startswith("fred has no key.")
    assert developer("fred").ask().status_code == 200, "the name is free for a new key"


def test_teams(make: Make, developer: Callable[..., Developer]) -> None:
    made = make("team", "NAME=payments", "BUDGET=200", "PERIOD=30d")
    assert made.returncode == 0, made.stderr
    assert "spent 0 of 200 / 30d (million tokens at the default price)" in made.stdout
    assert "members  none yet" in made.stdout
    developer("gina", "TEAM=payments")
    changed = make("team", "NAME=payments", "RPM=500", "MODELS=stackspot,stackspot-code")
    assert "members  gina" in changed.stdout
    assert line_of("payments", make("team").stdout) == (
        "payments | 1 | 0 | 200 / 30d | 500 | - | stackspot,stackspot-code"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    every(
        5,
        [
            ("key", "NAME is missing: say for whom"),
            ("key NAME=a/b", "NAME is 'a/b': letters, digits"),
            ("key NAME=default_user_id", "NAME is 'default_user_id'"),
            ("key NAME=zoe BUDGET=lots", "BUDGET is 'lots': it has to be a number above 0"),
            ("key NAME=zoe BUDGET=-1", "BUDGET is '-1'"),
            ("key NAME=zoe BUDGET=inf", "BUDGET is 'inf'"),
            ("key NAME=zoe PERIOD=month", "PERIOD is 'month': it has to be a time like"),
            ("key NAME=zoe RPM=1.5", "RPM is '1.5': it has to be a whole number"),
            ("key NAME=zoe TPM=0", "TPM is '0'"),
            ("key NAME=zoe EXPIRES=never", "EXPIRES is 'never'"),
            ("key NAME=zoe MODELS=stackspot,gpt-5", "The gateway has no model gpt-5; it has stackspot, "),
            ("key NAME=zoe TEAM=nobody", "There is no team nobody: make it with `make team NAME=nobody`."),
            ("key NAME=zoe UPDATE=1 BUDGET=2", "zoe has no key whose settings could be changed."),
            ("key NAME=zoe UPDATE=1 ROTATE=1", "UPDATE=1 changes a key's settings, ROTATE=1 replaces the key"),
            ("revoke", "NAME is missing: say whose"),
            ("team NAME=a/b", "NAME is 'a/b'"),
            ("usage DAYS=0", "DAYS is '0'"),
            ("usage FORMAT=xml", "FORMAT is 'xml'"),
        ],
    ),
)
def test_bad_input_is_one_sentence(make: Make, words: str, sentence: str) -> None:
    run = make(*words.split())
    assert run.returncode == 2
    assert run.stderr.startswith(sentence)
    assert len(run.stderr.splitlines()) == 2, "the sentence, and make's own line"
    assert "zoe" not in make("keys").stdout


def test_a_variable_that_happens_to_be_set_makes_no_key(make: Make) -> None:
    run = make("key", NAME="wsl-sets-this", BUDGET="5")
    assert run.stderr.startswith("NAME is missing")


@pytest.mark.parametrize("words", first(["key NAME=zoe", "keys", "revoke NAME=zoe", "team", "usage"]))
def test_no_gateway_or_a_wrong_master_key_is_one_sentence(make: Make, words: str) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    unreachable = make(*words.split(), GATEWAY_URL=nowhere)
    assert unreachable.stderr.startswith(f"The gateway at {nowhere} cannot be reached")
    wrong = make(*words.split(), LITELLM_MASTER_KEY="sk-not-the-master-key")
    assert "does not take LITELLM_MASTER_KEY as its master key." in wrong.stderr
    for run in (unreachable, wrong):
        assert run.returncode == 2
        assert run.stdout == ""
        assert len(run.stderr.splitlines()) == 2
        assert "sk-not" not in run.stderr


def test_a_developers_key_is_no_master_key(make: Make, developer: Callable[..., Developer]) -> None:
    run = make("keys", LITELLM_MASTER_KEY=developer("hugo").key)
    assert "does not take LITELLM_MASTER_KEY as its master key." in run.stderr
