"""What of the user's environment reaches a process, and what of it is a misspelt setting."""

import subprocess
import sys
from pathlib import Path

import pytest

from custom_handlers.http.network import exempt_loopback, is_loopback
from gateway import names
from gateway.dotenv import environment
from gateway.environment import belongs, for_gateway, left_out
from gateway.failures import InputError
from gateway.names import known, misspelt
from tests.harness import ROOT, clean_environment

VENDORS = [
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "AZURE_API_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "LITELLM_PROXY_API_KEY",
    "LITELLM_PROXY_API_BASE",
    "LITELLM_API_KEY",
    "MISTRAL_API_KEY",
    "HF_TOKEN",
    "CONFIG_FILE_PATH",
    "WORKER_CONFIG",
]
NEEDED = [
    "PATH",
    "HOME",
    "LC_ALL",
    "TZ",
    "HTTPS_PROXY",
    "https_proxy",
    "SSL_CERT_FILE",
    "STACKSPOT_REALM",
    "LITELLM_MASTER_KEY",
    "LITELLM_SALT_KEY",
    "LITELLM_LOG",
    "DATABASE_URL",
    "REDIS_HOST",
    "REDIS_SPEND_BUFFER",
    "UI_PASSWORD",
    "PRISMA_ENGINE",
    "STORE_MODEL_IN_DB",
]


def test_a_gateway_gets_its_own_settings_and_nobody_elses_keys() -> None:
    given = for_gateway({**dict.fromkeys(VENDORS, "sk-theirs"), **dict.fromkeys(NEEDED, "x")})
    assert set(NEEDED) <= set(given)
    assert not set(VENDORS) & set(given)
    assert given["LITELLM_MODE"] == "PRODUCTION", "otherwise LiteLLM reads .env by itself"


def test_every_documented_setting_reaches_it() -> None:
    assert [name for name in known() if not belongs(name)] == []


def test_an_operator_may_hand_on_more() -> None:
    environ = {"GATEWAY_PASS_ENV": "AZURE_API_KEY, AZURE_API_BASE", "AZURE_API_KEY": "a", "OPENAI_API_KEY": "b"}
    assert for_gateway(environ)["AZURE_API_KEY"] == "a"
    assert left_out(["AZURE_API_KEY", "OPENAI_API_KEY", "NOT_SET"], environ) == ["OPENAI_API_KEY"]


def test_a_bundle_of_certificates_is_for_everything_that_speaks_tls() -> None:
    given = for_gateway({"CA_BUNDLE": "/a.pem", "NODE_EXTRA_CA_CERTS": "/b.pem"})
    assert (given["SSL_CERT_FILE"], given["REQUESTS_CA_BUNDLE"]) == ("/a.pem", "/a.pem")
    assert given["NODE_EXTRA_CA_CERTS"] == "/b.pem", "what is set by name stays"


@pytest.mark.parametrize("setting", ["OPENAI_API_KEY", "DATABASE_URL", "REDIS_HOST", "STACKSPOT_REALM", "UI_PASSWORD"])
def test_the_demo_gets_nothing_of_the_users(monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    monkeypatch.setenv(setting, "the user's")
    assert setting not in clean_environment({})


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({}, "127.0.0.1,localhost,::1"),
        ({"NO_PROXY": ".corp"}, ".corp,127.0.0.1,localhost,::1"),
        ({"NO_PROXY": "localhost, a", "no_proxy": "b"}, "localhost,a,b,127.0.0.1,::1"),
        ({"no_proxy": "*"}, "*"),
    ],
)
def test_loopback_is_never_asked_through_a_proxy(given: dict[str, str], value: str) -> None:
    assert exempt_loopback(given) == {"NO_PROXY": value, "no_proxy": value}
    assert exempt_loopback(exempt_loopback(given)) == exempt_loopback(given)


def test_loopback() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "localhost")))
    assert not any(map(is_loopback, ("", "10.0.0.1", "0.0.0.0", "localhost.example.com")))  # noqa: S104


# .env


def read(tmp_path: Path, content: bytes) -> dict[str, str]:
    (tmp_path / ".env").write_bytes(content)
    return environment(tmp_path, {})


def test_what_an_editor_may_do_to_it(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeffA='x # \"y\"'\r\n# note\r\nexport B=2\r\nC=\r\n".encode()) == {
        "A": 'x # "y"',
        "B": "2",
    }


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'A=1\nB="open\nC=3\n', r"Line 2 of \.env cannot be read: write NAME=value, and put a value"),
        (b"A=1\n\nSTACKSPOT_REALM acme\n", r"Line 3 of \.env cannot be read"),
        (b"A='x' y\n", r"Line 1 of \.env"),
        (b"A=x\0y\n", r"Line 1 of \.env"),
        (b"A=\xff\n", r"\.env cannot be read: it is no UTF-8 text"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read(tmp_path, content)


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    with pytest.raises(InputError, match=r"\.env cannot be read: Is a directory"):
        environment(tmp_path, {})


def test_another_file_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("A=1\n")
    assert environment(ROOT, {"GATEWAY_ENV_FILE": str(tmp_path / "own")})["A"] == "1"
    assert clean_environment({})["GATEWAY_ENV_FILE"] == "/dev/null", "tests read no .env"


# Misspelt names


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("GATEWAY_WORKER", "GATEWAY_WORKERS"),
        ("KEY_BUGDET", "KEY_BUDGET"),
        ("STAKSPOT_REALM", "STACKSPOT_REALM"),
        ("STACKSPOT_AGENTID", "STACKSPOT_AGENT_ID"),
        ("LITELLM_MASTERKEY", "LITELLM_MASTER_KEY"),
        ("gateway_port", "GATEWAY_PORT"),
    ],
)
def test_a_misspelt_name_in_the_file(name: str, meant: str) -> None:
    assert misspelt([name], {}) == [f"{name} is not a setting of the gateway; did you mean {meant}?"]


def test_other_programs_variables_are_no_mistakes() -> None:
    others = ["COMPOSE_PROJECT_NAME", "OPENAI_API_KEY", "EDITOR", "REDIS_HOST", "PATH", "HTTPS_PROXY", "NODE_OPTIONS"]
    assert misspelt([*others, *known()], {}) == []
    assert misspelt([], {"GATEWAY_INTERFACE": "CGI/1.1", "KEY_FILE": "x"}) == []
    assert misspelt([], {"GATEWAY_WORKER": "2"}) != []


def test_make_up_finds_them_before_anything_starts(tmp_path: Path) -> None:
    own = tmp_path / "own"

    def check() -> "subprocess.CompletedProcess[str]":
        environ = clean_environment({"GATEWAY_ENV_FILE": str(own)})
        command = [sys.executable, "-m", "gateway.names"]
        return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)

    assert check().stderr == "There is no .env. Make one with: make env\n"
    own.write_text((ROOT / ".env.example").read_text() + "\nKEY_BUGDET=5\n")
    assert (check().returncode, check().stderr) == (
        1,
        "KEY_BUGDET is not a setting of the gateway; did you mean KEY_BUDGET?\n",
    )
    own.write_text((ROOT / ".env.example").read_text().replace("#", ""))
    own.write_text("".join(line for line in (ROOT / ".env.example").read_text().splitlines(True) if "=" in line))
    assert check().returncode == 0


# accounts.env


@pytest.fixture
def with_team_b(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder whose litellm_config.yaml names the account team-b."""
    config = tmp_path / "litellm_config.yaml"
    config.write_text("model_list:\n  - model_info: {stackspot_account: team-b} # stackspot_account: not-this\n")
    monkeypatch.setattr(names, "CONFIGURATIONS", (str(config),))
    return tmp_path


def test_it_is_read_like_env_which_wins(tmp_path: Path) -> None:
    (tmp_path / "accounts.env").write_text("STACKSPOT_TEAM_B_REALM='department b'\nSTACKSPOT_REALM=other\n")
    assert read(tmp_path, b"STACKSPOT_REALM=acme\n") == {
        "STACKSPOT_TEAM_B_REALM": "department b",
        "STACKSPOT_REALM": "acme",
    }
    (tmp_path / "accounts.env").write_text("no line of it\n")
    with pytest.raises(InputError, match=r"Line 1 of accounts\.env cannot be read"):
        read(tmp_path, b"")


@pytest.mark.usefixtures("with_team_b")
def test_the_variables_of_an_account_are_settings_when_a_model_names_it() -> None:
    assert misspelt(["STACKSPOT_TEAM_B_CLIENT_ID"], {}) == []
    assert misspelt(["STACKSPOT_TEAM_B_CLIENT_DI"], {}) == [
        "STACKSPOT_TEAM_B_CLIENT_DI is not a setting of the gateway; did you mean STACKSPOT_TEAM_B_CLIENT_ID?"
    ]
    [other] = misspelt(["STACKSPOT_NOT_THIS_REALM"], {})
    assert other.startswith("STACKSPOT_NOT_THIS_REALM is not a setting of the gateway")


def test_make_up_looks_at_both_files(with_team_b: Path, capsys: pytest.CaptureFixture[str]) -> None:
    env, accounts = with_team_b / ".env", with_team_b / "accounts.env"
    env.write_text("STACKSPOT_REALM=acme\n")
    assert names.main(env) == 0
    accounts.write_text("STACKSPOT_TEAM_B_REALM=b\nAZURE_API_KEY=x\n")
    assert names.main(env) == 0
    accounts.write_text("STACKSPOT_TEAM_B_RELAM=b\n")
    env.write_text("STACKSPOT_TEAM_B_REALM=b\n")
    assert names.main(env) == 1
    assert capsys.readouterr().err.splitlines() == [
        "STACKSPOT_TEAM_B_RELAM is not a setting of the gateway; did you mean STACKSPOT_TEAM_B_REALM?",
        "STACKSPOT_TEAM_B_REALM stands in .env: the Docker stack takes the variables of other accounts from "
        "accounts.env.",
    ]
