"""The commands against a real gateway: with the three packages of administration alone, and for scripts."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.make import TARGETS
from simulator.client import Simulator
from tests.gateway.administration.conftest import KEY_DEFAULTS, Developer
from tests.harness import ROOT, Account, Server, clean_environment
from tests.sampling import thorough

PROJECT = (
    *("Makefile", "gateway", "database", "custom_handlers", "clients", "docker-compose.yml", "litellm_config.yaml"),
    *(".env.example", "requirements-admin.lock"),
)
ELSEWHERE = {"demo", "run", "clean-data"}  # tests/slow/starts
WITH_DOCKER = {"up", "down", "logs", "status", "backup", "restore", "upgrade"}  # tests/slow/compose
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of a team with Docker, which has installed nothing."""
    folder = tmp_path_factory.mktemp("light")
    for name in PROJECT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def run(light: Path, team_gateway: Server, simulator: Simulator, account: Account) -> Run:
    gateway = {"GATEWAY_URL": team_gateway.url, "LITELLM_MASTER_KEY": team_gateway.key}
    setting = {**KEY_DEFAULTS, **account.for_gateway(simulator.url), **gateway}

    def run(*command: str) -> "subprocess.CompletedProcess[str]":
        environ = clean_environment({**setting, "PYTHON": sys.executable})
        return subprocess.run(command, cwd=light, env=environ, capture_output=True, text=True, check=False)

    return run


@thorough
def test_the_first_make_installs_what_administration_needs_and_no_more(light: Path, run: Run) -> None:
    done = run("make", "--silent", "keys")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(".venv-admin is made once, which takes about ten seconds.\n")
    assert not (light / ".venv").exists()
    listed = run(".venv-admin/bin/python", "-m", "pip", "list", "--format", "json").stdout
    installed = {each["name"].lower().replace("_", "-") for each in json.loads(listed)} - {"pip", "setuptools"}
    lock = (ROOT / "requirements-admin.lock").read_text()
    assert installed <= {*re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    assert {"click", "httpx", "python-dotenv"} <= installed
    assert len(installed) < 12
    assert run("make", "--silent", "keys").stderr == "", "once"


@thorough
def test_every_target_of_administration_works_with_it(light: Path, run: Run, team_gateway: Server) -> None:
    tried = set()

    def make(*words: str) -> str:
        tried.add(words[0])
        done = run("make", "--silent", *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    make("team", "NAME=light-team", "RPM=500")
    key = make("key", "NAME=light", "TEAM=light-team").strip()
    assert Developer(team_gateway, key).ask().status_code == 200
    assert re.search(r"^light +light-team ", make("keys"), re.MULTILINE)
    assert "members  light" in make("team", "NAME=light-team")
    assert make("usage", "FORMAT=csv").startswith("developer,requests,")
    assert team_gateway.url in make("client", "NAME=codex")
    assert "is revoked" in make("revoke", "NAME=light")
    assert "about light is deleted" in make("forget", "NAME=light")
    assert make("admin")
    assert re.search(r"^ok +gateway: ", make("doctor"), re.MULTILINE)
    assert make("env").startswith("Wrote .env with new secrets")
    assert (light / ".env").exists()
    assert tried | ELSEWHERE | WITH_DOCKER == set(TARGETS)


@thorough
def test_what_needs_the_whole_installation_says_so(run: Run) -> None:
    for words in (["run"], ["demo"], ["data", "remove"]):
        done = run(".venv-admin/bin/python", "-m", "gateway", *words)
        assert (done.returncode, done.stdout) == (1, "")
        assert re.fullmatch(
            r"This needs the whole installation, which lacks \w+ here: run `make install`\.\n", done.stderr
        )


@thorough
def test_packages_that_cannot_be_had_are_one_message(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("click==8.5.1 --hash=sha256:" + "0" * 64 + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "gateway.install", str(tmp_path / "venv"), str(tmp_path / "lock")],
        cwd=ROOT, env=clean_environment({"PIP_NO_INDEX": "1"}), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"The packages of {tmp_path}/lock cannot be installed:\n" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "venv" / ".installed").exists()


@pytest.fixture
def gateway(team_gateway: Server) -> Run:
    """`python -m gateway` as an administrator types it."""

    def gateway(*words: str) -> "subprocess.CompletedProcess[str]":
        setting = {**KEY_DEFAULTS, "GATEWAY_URL": team_gateway.url, "LITELLM_MASTER_KEY": team_gateway.key}
        command = [sys.executable, "-m", "gateway", *words]
        environ = clean_environment(setting)
        return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)

    return gateway


def read(done: "subprocess.CompletedProcess[str]") -> object:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_scripts_read_json(gateway: Run, team_gateway: Server) -> None:
    team = read(gateway("teams", "create", "json-team", "--budget", "200", "--json"))
    assert isinstance(team, dict)
    assert (team["name"], team["max_budget"], team["members"]) == ("json-team", 200, [])
    made = gateway("keys", "create", "jason", "--team", "json-team", "--budget", "none", "--json")
    key = read(made)
    assert isinstance(key, dict)
    assert made.stderr == ""
    assert (key["name"], key["team"], key["max_budget"], key["rpm_limit"]) == ("jason", "json-team", None, 1000)
    assert Developer(team_gateway, key["key"]).ask().status_code == 200
    listed = gateway("keys", "list", "--json")
    keys = read(listed)
    assert isinstance(keys, list)
    [own] = [each for each in keys if each["name"] == "jason"]
    assert (own["team"], own["models"]) == ("json-team", key["models"])
    assert key["key"] not in listed.stdout
    shown = read(gateway("teams", "show", "json-team", "--json"))
    assert isinstance(shown, dict)
    assert shown["members"] == ["jason"]
    teams = read(gateway("teams", "list", "--json"))
    assert isinstance(teams, list)
    [listed_team] = [each for each in teams if each["name"] == "json-team"]
    assert listed_team | {"spend": 0} == shown | {"spend": 0}
    assert isinstance(read(gateway("usage", "--json")), list)
    replaced = read(gateway("keys", "rotate", "jason", "--json"))
    assert isinstance(replaced, dict)
    assert Developer(team_gateway, key["key"]).ask().status_code == 401
    assert Developer(team_gateway, replaced["key"]).ask().status_code == 200


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            "teams update nobodys --rpm 5",
            "There is no team nobodys: make it with `python -m gateway teams create nobodys`.",
        ),
        ("teams show nobodys", "There is no team nobodys"),
        ("keys update nobody --rpm 5", "nobody has no key whose settings could be changed."),
        ("keys create zoe --models gpt-5", "The gateway has no model gpt-5; it has stackspot, "),
        ("keys create zoe --team nobodys", "There is no team nobodys"),
    ],
)
def test_what_there_is_not(gateway: Run, words: str, sentence: str) -> None:
    done = gateway(*words.split())
    assert (done.returncode, done.stdout) == (2, "")
    [told] = done.stderr.splitlines()
    assert told.startswith(sentence)


def test_what_there_is_already(gateway: Run) -> None:
    for words in (["teams", "create", "twice"], ["keys", "create", "twice"]):
        assert gateway(*words).returncode == 0
        done = gateway(*words)
        assert done.returncode == 2
        assert "already" in done.stderr
        assert "python -m gateway" in done.stderr


def test_another_version_of_litellm_is_one_sentence(gateway: Run, simulator_server: Server) -> None:
    done = gateway("--url", simulator_server.url, "keys", "list")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr
