"""`make env`, .env.example, and what docker-compose.yml says without a daemon."""

import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import compose
import pytest
import yaml

from custom_handlers.config.settings import KNOWN
from gateway import env_file as env
from gateway.names import known
from tests.harness import ROOT

EXAMPLE = (ROOT / ".env.example").read_text()
COMPOSE_FILE = (ROOT / "docker-compose.yml").read_text()
REQUIRED = [name for name in env.GENERATED if name != "GRAFANA_PASSWORD"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".env.example").write_text(EXAMPLE)
    return tmp_path


def settings(folder: Path) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", (folder / ".env").read_text(), flags=re.MULTILINE))


def test_every_secret_is_new_and_strong(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / ".env.example").write_text(EXAMPLE)
    env.write(folder)
    env.write(other)
    first, second = settings(folder), settings(other)
    for name in env.GENERATED:
        assert len(first[name]) >= 32, name
        assert first[name] != second[name], name
    assert first["LITELLM_MASTER_KEY"].startswith("sk-")
    assert first["STACKSPOT_CLIENT_SECRET"] == ""


def test_only_the_owner_can_read_it(folder: Path) -> None:
    env.write(folder)
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600


def test_an_existing_file_stays_as_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / ".env").write_text("LITELLM_SALT_KEY=precious\n")
    env.write(folder)
    assert (folder / ".env").read_text() == "LITELLM_SALT_KEY=precious\n"
    assert "stays as it is" in capsys.readouterr().out


def test_a_folder_that_lacks_the_example_is_one_sentence(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "gateway", tmp_path / "gateway", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("custom_handlers", "docker-compose.yml"):
        (tmp_path / name).symlink_to(ROOT / name)
    command = [sys.executable, "-m", "gateway", "env"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"{tmp_path}/.env.example: No such file or directory.\n"


def test_the_example_documents_every_variable() -> None:
    named = re.findall(r"^#?([A-Z_]+)=", EXAMPLE, flags=re.MULTILINE)
    assert [name for name in named if named.count(name) > 1] == []
    documented = set(named)
    interpolated = set(re.findall(r"^[^#]*?(?<!\$)\$\{([A-Z_]+)", COMPOSE_FILE, flags=re.MULTILINE))
    passed_on = set(re.findall(r"^  (STACKSPOT_[A-Z_]+):$", COMPOSE_FILE, flags=re.MULTILINE))
    documented.add("STACKSPOT_CLIENT_KEY")  # in words, beside the name that it is an alias of
    assert interpolated | passed_on <= documented
    assert set(KNOWN) == passed_on
    in_the_container = set(re.findall(r"^      (KEY_[A-Z_]+):$", COMPOSE_FILE, flags=re.MULTILINE))
    assert in_the_container == {name for name in known() if name.startswith("KEY_")}


def test_every_image_has_a_version() -> None:
    for name, service in yaml.safe_load(COMPOSE_FILE)["services"].items():
        assert re.search(r":v?\d+\.\d+(\.\d+)?(-\w+)?$", service["image"]), name


def test_no_secret_has_a_default() -> None:
    for name in REQUIRED:
        assert re.findall(rf"\$\{{{name}(\W+)", COMPOSE_FILE), name
        assert set(re.findall(rf"\$\{{{name}(\W+)", COMPOSE_FILE)) == {":?"}, name


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_missing_secret_is_named(folder: Path, missing: str) -> None:
    env.write(folder)
    lines = (folder / ".env").read_text().splitlines()
    (folder / ".env").write_text("\n".join(line for line in lines if not line.startswith(f"{missing}=")))
    done = config(folder)
    assert done.returncode != 0
    assert f"required variable {missing} is missing a value: is missing in .env - make env writes it" in done.stderr


def test_it_is_published_on_loopback_unless_told_otherwise(folder: Path) -> None:
    env.write(folder)
    assert published(folder) == [("127.0.0.1", "4000")]
    with (folder / ".env").open("a") as file:
        file.write("GATEWAY_BIND=192.0.2.7\nGATEWAY_PORT=8443\n")
    assert published(folder) == [("192.0.2.7", "8443")]


@pytest.mark.parametrize("secret", ["", "hidden"])
def test_grafana_needs_its_password_where_it_runs_and_nowhere_else(folder: Path, secret: str) -> None:
    """Who has an .env from before monitoring is asked for nothing."""
    env.write(folder)
    lines = (folder / ".env").read_text().splitlines()
    (folder / ".env").write_text("\n".join(line for line in lines if not line.startswith("GRAFANA_PASSWORD=")))
    assert not {"prometheus", "grafana"} & set(services_with(folder))
    grafana = services_with(folder, COMPOSE_PROFILES="monitoring", GRAFANA_PASSWORD=secret)["grafana"]
    assert grafana["environment"]["GF_SECURITY_ADMIN_PASSWORD"] == secret
    script = grafana["command"][0].replace("$$", "$").replace("exec /run.sh", "echo started")
    started = subprocess.run(
        ["/bin/sh", "-c", script],
        env={"GF_SECURITY_ADMIN_PASSWORD": secret},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (started.returncode, started.stdout) == ((0, "started\n") if secret else (1, ""))
    assert started.stderr == ("" if secret else "GRAFANA_PASSWORD is missing in .env: openssl rand -hex 16\n")


def test_monitoring_is_hardened_and_shows_grafana_alone(folder: Path) -> None:
    env.write(folder)
    services = services_with(folder, COMPOSE_PROFILES="monitoring", GATEWAY_BIND="192.0.2.7")
    ports = {name: [port["published"] for port in service.get("ports", [])] for name, service in services.items()}
    assert {name: given for name, given in ports.items() if given} == {"gateway": ["4000"], "grafana": ["3000"]}
    for name in ("prometheus", "grafana"):
        for setting in ("init", "read_only", "cap_drop", "security_opt", "pids_limit", "logging"):
            assert services[name][setting] == services["gateway"][setting], (name, setting)
        assert services[name]["user"] not in ("root", "0", None)
        assert services[name]["mem_limit"]
        mounts = [mount for mount in services[name]["volumes"] if mount["type"] == "bind"]
        assert mounts
        for mount in mounts:
            assert mount["read_only"], mount
            assert (ROOT / Path(mount["source"]).relative_to(folder)).is_file(), mount
    assert list(services["prometheus"]["networks"]) == ["monitoring"]
    assert "monitoring" in services["gateway"]["networks"]


def published(folder: Path) -> list[tuple[str, str]]:
    services = yaml.safe_load(config(folder).stdout)["services"]
    return [(port["host_ip"], port["published"]) for service in services.values() for port in service.get("ports", [])]


def config(folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    (folder / "docker-compose.yml").write_text(COMPOSE_FILE)
    binary = Path(compose.__file__).parent / "docker-compose"
    return subprocess.run(
        [binary, "config"],
        cwd=folder,
        env={"HOME": str(folder), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def environment_of(folder: Path, service: str, **environ: str) -> dict[str, str | None]:
    found: dict[str, str | None] = services_with(folder, **environ)[service]["environment"]
    return found


def services_with(folder: Path, **environ: str) -> Any:
    done = config(folder, **environ)
    assert (done.returncode, done.stderr) == (0, "")
    return yaml.safe_load(done.stdout)["services"]


@pytest.mark.parametrize("service", ["preflight", "gateway"])
def test_a_companys_proxy_is_not_for_the_stack_itself(folder: Path, service: str) -> None:
    env.write(folder)
    own = "127.0.0.1,localhost,::1,database,redis"
    assert environment_of(folder, service)["HTTPS_PROXY"] is None, "not even set when there is none"
    assert environment_of(folder, service)["NO_PROXY"] == own
    given = environment_of(folder, service, HTTPS_PROXY="http://proxy:3128", http_proxy="http://p", NO_PROXY=".corp")
    assert (given["HTTPS_PROXY"], given["http_proxy"]) == ("http://proxy:3128", "http://p")
    assert given["NO_PROXY"] == given["no_proxy"] == f"{own},.corp"
    with (folder / ".env").open("a") as file:
        file.write("HTTPS_PROXY=http://from-the-file\n")
    assert environment_of(folder, service)["HTTPS_PROXY"] == "http://from-the-file"


@pytest.mark.parametrize("service", ["preflight", "gateway"])
def test_a_companys_certificates_are_mounted(folder: Path, service: str) -> None:
    env.write(folder)
    for bundle, source, told in (("", "/dev/null", ""), ("/etc/corp.pem", "/etc/corp.pem", "/app/certificates.pem")):
        found = services_with(folder, CA_BUNDLE=bundle)
        mounts = {mount["target"]: mount for mount in found[service]["volumes"]}
        assert mounts["/app/certificates.pem"]["source"] == source
        assert mounts["/app/certificates.pem"]["read_only"] is True
        assert found[service]["environment"]["CA_BUNDLE"] == told
        assert 'SSL_CERT_FILE="$$CA_BUNDLE"' in found[service]["command"][0]


ACCOUNTS = """\
STACKSPOT_TEAM_B_REALM=department-b
STACKSPOT_TEAM_B_CLIENT_SECRET='with $ and # in it'
AZURE_API_KEY=azure
"""


def test_other_accounts_reach_the_gateway_by_a_file_of_their_own(folder: Path) -> None:
    env.write(folder)
    with (folder / ".env").open("a") as file:
        file.write("AZURE_API_BASE=https://not-handed-on.example\n")
    before = services_with(folder)
    (folder / "accounts.env").write_text(ACCOUNTS)
    after = services_with(folder)
    given = {"STACKSPOT_TEAM_B_REALM": "department-b", "AZURE_API_KEY": "azure"}
    # Compose writes a dollar as two, so that what it renders can be rendered again.
    given["STACKSPOT_TEAM_B_CLIENT_SECRET"] = "with $$ and # in it"
    for service in ("preflight", "gateway"):
        assert after[service]["environment"] == {**before[service]["environment"], **given}
    for service in ("database", "redis"):
        assert after[service] == before[service]


def test_the_stacks_own_settings_win_over_that_file(folder: Path) -> None:
    env.write(folder)
    (folder / "accounts.env").write_text("DATABASE_HOST=elsewhere\nLITELLM_MASTER_KEY=sk-other\nNUM_WORKERS=9\n")
    environment = environment_of(folder, "gateway")
    assert (environment["DATABASE_HOST"], environment["NUM_WORKERS"]) == ("database:5432", "1")
    assert environment["LITELLM_MASTER_KEY"] == settings(folder)["LITELLM_MASTER_KEY"]
