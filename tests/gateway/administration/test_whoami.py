"""`gateway whoami` with a key as `make key` makes it, and with no other."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from custom_handlers.core.models import PRICE_PER_TOKEN
from tests.gateway.administration.conftest import Developer, Make
from tests.harness import ROOT, Server, clean_environment

FLUSH_SECONDS = 90
HandOut = Callable[..., Developer]
WhoAmI = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def whoami(team_gateway: Server) -> WhoAmI:
    def run(*words: str, stdin: str = "", **environ: str) -> "subprocess.CompletedProcess[str]":
        setting = {"GATEWAY_URL": team_gateway.url, "GATEWAY_ENV_FILE": "/dev/null", **environ}
        return subprocess.run(
            [sys.executable, "-m", "gateway", "whoami", *words],
            cwd=ROOT,
            env={name: value for name, value in clean_environment(setting).items() if name != "LITELLM_MASTER_KEY"},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_it_says_what_the_key_has_and_what_is_left(developer: HandOut, make: Make, whoami: WhoAmI) -> None:
    assert make("team", "NAME=who-team").returncode == 0
    who = developer("whoami-1", "TEAM=who-team", "BUDGET=2", "PERIOD=7d", "RPM=30", "MODELS=stackspot-code")
    spent = who.ask(model="stackspot-code").json()["usage"]["total_tokens"] * PRICE_PER_TOKEN
    end = time.monotonic() + FLUSH_SECONDS
    while not (told := json.loads(whoami("--json", GATEWAY_KEY=who.key).stdout))["spend"]:
        assert time.monotonic() < end
        time.sleep(1)
    assert told["spend"] == pytest.approx(spent)
    assert told["left"] == pytest.approx(2 - spent)
    assert (told["name"], told["team"]) == ("whoami-1", "who-team")
    assert told["models"] == ["stackspot-ai-code", "stackspot-code"], "both names of the one model"
    assert (told["max_budget"], told["budget_duration"], told["rpm_limit"], told["tpm_limit"]) == (2, "7d", 30, None)
    now = datetime.now(UTC)
    assert 0 < (datetime.fromisoformat(told["budget_reset_at"]) - now).days <= 7
    assert 88 <= (datetime.fromisoformat(told["expires"]) - now).days <= 90

    shown = whoami(GATEWAY_KEY=who.key, TZ="America/Sao_Paulo")
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in shown.stdout.splitlines())
    assert list(lines) == ["name", "team", "models", "budget", "new", "limits", "expires"]
    assert "left of 2 / 7d (million tokens" in lines["budget"]
    assert lines["limits"] == "30 requests a minute"
    assert lines["new"].endswith(" -03")
    assert who.key not in shown.stdout


@pytest.mark.parametrize("name", ["STACKSPOT_GATEWAY_KEY", "OPENAI_API_KEY", "ANTHROPIC_AUTH_TOKEN"])
def test_the_key_comes_from_where_clients_have_it(developer: HandOut, whoami: WhoAmI, name: str) -> None:
    who = developer(f"whoami-{name.lower()}")
    assert "name     whoami-" in whoami(**{name: who.key}).stdout
    assert "name     whoami-" in whoami("--key-from-stdin", stdin=f"{who.key}\n", **{name: "sk-another"}).stdout


def test_a_key_without_budget_has_no_limit(developer: HandOut, whoami: WhoAmI) -> None:
    who = developer("whoami-free", "BUDGET=none", "PERIOD=none", "EXPIRES=none", "RPM=none")
    shown = whoami(GATEWAY_KEY=who.key).stdout
    assert "budget   no limit; 0 spent" in shown
    assert "limits   no limit\nexpires  never\n" in shown


def test_a_key_that_is_not_taken_gets_one_sentence(
    developer: HandOut, make: Make, whoami: WhoAmI, team_gateway: Server
) -> None:
    who = developer("whoami-gone")
    assert make("revoke", "NAME=whoami-gone").returncode == 0
    short = developer("whoami-short", "EXPIRES=1s")
    time.sleep(2)
    for environ, sentence in (
        ({"GATEWAY_KEY": who.key}, f"The gateway at {team_gateway.url} does not take the key from GATEWAY_KEY."),
        ({"OPENAI_API_KEY": "sk-no-such-key"}, "does not take the key from OPENAI_API_KEY."),
        ({"GATEWAY_KEY": short.key}, "The key from GATEWAY_KEY has expired: ask your administrator for a new one."),
        ({"GATEWAY_KEY": team_gateway.key}, "The key from GATEWAY_KEY is no developer's key"),
        ({"GATEWAY_KEY": "sk-\x07"}, "The key from GATEWAY_KEY holds a character that no key has."),
        ({}, "No key is set: put yours into GATEWAY_KEY, or pipe it in with --key-from-stdin."),
    ):
        done = whoami(**environ)
        assert done.returncode in (1, 2)
        assert done.stdout == ""
        [line] = done.stderr.splitlines()
        assert sentence in line
        assert who.key not in line


def test_an_exhausted_key_is_still_told(developer: HandOut, whoami: WhoAmI) -> None:
    who = developer("whoami-spent", f"BUDGET={PRICE_PER_TOKEN:.9f}")
    who.ask()
    end = time.monotonic() + FLUSH_SECONDS
    while who.ask().status_code != 422:
        assert time.monotonic() < end
        time.sleep(1)
    while json.loads((done := whoami("--json", GATEWAY_KEY=who.key)).stdout)["left"]:
        assert time.monotonic() < end
        time.sleep(1)
    assert (done.returncode, done.stderr) == (0, "")
