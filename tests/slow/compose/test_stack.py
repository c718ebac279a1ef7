"""The Docker stack for real: the compose file as it is, on stand-in images. The tests run in their order."""

import json
import re
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.harness import ALL_NAMES, ROOT
from tests.slow.compose.daemon import Docker
from tests.slow.compose.images import publish
from tests.slow.compose.stack import SERVICES, Stack, clone, images, reading, with_simulator

pytestmark = pytest.mark.compose


@pytest.fixture(scope="module")
def key(stack: Stack) -> str:
    return stack.new_key(key_alias="dev1", models=list(ALL_NAMES))


@pytest.fixture
def stackspot(stack: Stack) -> Iterator[None]:
    with stack.stackspot():
        yield


# ---------------------------------------------------------------- starting


def test_a_wrong_configuration_stops_the_stack(docker: Docker, tmp_path: Path) -> None:
    wrong = clone(docker, tmp_path, "wrong-test")
    try:
        wrong.make("env")
        wrong.fill_in({**with_simulator(wrong), "STACKSPOT_CODE_AGENT_ID": "no-ulid", "GATEWAY_PORT": str(wrong.port)})
        up = wrong.command("docker", "compose", "up")
        assert up.returncode != 0
        assert "STACKSPOT_CODE_AGENT_ID is not a ULID" in wrong.last_line()
        assert wrong.compose("ps", "--quiet") == ""
        assert wrong.inspect("preflight")["State"]["ExitCode"] == 78
        assert wrong.inspect("preflight")["RestartCount"] == 0
        make = wrong.command("make", "up")
        assert make.returncode != 0
        assert "STACKSPOT_CODE_AGENT_ID is not a ULID" in make.stdout.splitlines()[-2]  # make's own error is the last
    finally:
        wrong.command("docker", "compose", "down", "--volumes")


def test_a_new_user_needs_make_env_first(docker: Docker, tmp_path: Path) -> None:
    up = clone(docker, tmp_path, "none-test").command("make", "up")
    assert up.returncode != 0
    assert "There is no .env. Make one with: make env" in up.stdout


def test_it_is_ready_with_the_database(stack: Stack) -> None:
    assert httpx.get(f"{stack.url}/health/readiness").json() == {"status": "healthy", "db": "connected"}
    status = stack.make("status")
    assert '"db":"connected"' in status
    assert len(re.findall(r"\(healthy\)", status)) == len(SERVICES)


def test_a_developer_chats(stack: Stack, key: str, stackspot: None) -> None:
    answer = stack.chat(key)
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"]
    assert stack.chat("sk-unknown").status_code == 401


def test_the_admin_ui_is_served(stack: Stack) -> None:
    with httpx.Client(base_url=stack.url, follow_redirects=True) as browser:
        page = browser.get("/ui/login/")
        assert page.status_code == 200
        script = re.search(r'src="(/[^"]+\.js)"', page.text)
        assert script
        assert browser.get(script[1]).status_code == 200
        login = {"username": stack.settings["UI_USERNAME"], "password": stack.settings["UI_PASSWORD"]}
        assert browser.post("/v2/login", json=login).status_code == 200
        assert browser.post("/v2/login", json={**login, "password": "wrong"}).status_code == 401


# ---------------------------------------------------------------- hardening


@pytest.mark.parametrize("service", SERVICES)
def test_no_process_has_more_rights_than_it_needs(stack: Stack, service: str) -> None:
    script = "for p in /proc/[0-9]*/status; do grep -hE '^(Uid|CapEff|CapPrm|CapBnd|NoNewPrivs):' $p; done"
    seen = {tuple(line.split()) for line in stack.compose("exec", "-T", service, "sh", "-c", script).splitlines()}
    assert ("NoNewPrivs:", "1") in seen
    assert ("NoNewPrivs:", "0") not in seen
    assert {row[1] for row in seen if row[0].startswith("Cap")} == {"0000000000000000"}
    assert all("0" not in row[1:] for row in seen if row[0] == "Uid:")


@pytest.mark.parametrize("service", SERVICES)
def test_the_root_file_system_is_read_only(stack: Stack, service: str) -> None:
    as_root = stack.command(
        *(
            "docker",
            "compose",
            "exec",
            "-T",
            "--user",
            "0",
            service,
            "sh",
            "-c",
            "for d in / /etc /usr /app; do touch $d/x; done",
        )
    )
    assert as_root.returncode != 0
    assert "Read-only file system" in as_root.stdout


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_can_take_the_machine(stack: Stack, service: str) -> None:
    host = stack.inspect(service)["HostConfig"]
    assert host["Memory"] > 0
    assert host["PidsLimit"] > 0
    assert not host["Privileged"]
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-file": "5", "max-size": "10m"}}
    assert all("size=" in options for options in host["Tmpfs"].values())


def test_only_the_gateway_is_published_and_only_on_loopback(stack: Stack) -> None:
    published = {
        service: [
            binding
            for bindings in stack.inspect(service)["NetworkSettings"]["Ports"].values()
            for binding in bindings or []
        ]
        for service in SERVICES
    }
    assert published == {
        "gateway": [{"HostIp": "127.0.0.1", "HostPort": str(stack.port)}],
        "database": [],
        "redis": [],
    }


@pytest.mark.parametrize(("service", "port"), [("database", 5432), ("redis", 6379)])
def test_the_stores_are_out_of_reach(stack: Stack, docker: Docker, service: str, port: int) -> None:
    """Out of the reach of a container that is not in their network, and without a way out themselves."""
    networks = stack.inspect(service)["NetworkSettings"]["Networks"]
    assert list(networks) == [f"{stack.name}_storage"]
    address = networks[f"{stack.name}_storage"]["IPAddress"]
    connect = f"import socket; socket.create_connection(('{address}', {port}), timeout=3)"
    image = images()["gateway"]
    for network, reached in ((f"{stack.name}_storage", True), (f"{stack.name}_default", False)):
        done = docker.run(
            *("run", "--rm", "--network", network, "--entrypoint", "python3", image, "-c", connect), check=False
        )
        assert (done.returncode == 0) is reached, done.stderr
    assert docker.output("network", "inspect", "--format", "{{.Internal}}", f"{stack.name}_storage") == "true"


def test_the_stores_want_their_passwords(stack: Stack) -> None:
    url = "postgresql://litellm:wrong@database/litellm"
    script = f"import psycopg; psycopg.connect('{url}')"
    assert (
        "password authentication failed"
        in stack.command("docker", "compose", "exec", "-T", "gateway", "python3", "-c", script).stdout
    )
    assert "NOAUTH" in stack.compose("exec", "-T", "redis", "redis-cli", "dbsize")


def test_no_password_is_on_a_command_line(stack: Stack) -> None:
    secrets = [stack.settings[name] for name in ("REDIS_PASSWORD", "POSTGRES_PASSWORD", "LITELLM_MASTER_KEY")]
    for service in SERVICES:
        shown = stack.compose("top", service)
        assert not any(secret and secret in shown for secret in secrets)


# ---------------------------------------------------------------- everyday


def test_make_logs_follows_the_log(stack: Stack) -> None:
    with reading(stack, "make", "logs") as logs:
        assert logs.stdout
        for line in logs.stdout:
            if line.startswith("gateway-1"):
                break


def test_a_wrong_configuration_does_not_loop_and_a_crash_is_recovered_from(stack: Stack, key: str) -> None:
    config = stack.folder / "litellm_config.yaml"
    right = config.read_text()
    config.write_text(right.replace("os.environ/STACKSPOT_CODE_AGENT_ID", "no-ulid"))
    stack.compose("restart", "gateway")
    until = time.monotonic() + 30
    while "is not a ULID" not in stack.last_line("gateway"):
        assert time.monotonic() < until
        time.sleep(0.5)
    time.sleep(3)
    gateway = stack.inspect("gateway")
    assert (gateway["RestartCount"], gateway["State"]["Status"]) == (0, "running")
    assert "is not a ULID" in stack.last_line("gateway")
    config.write_text(right)
    # A crash, now: `docker kill` would count as the operator's wish, after which Docker restarts nothing.
    subprocess.run(["kill", "-KILL", str(gateway["State"]["Pid"])], check=True)
    until = time.monotonic() + 30
    while stack.inspect("gateway")["RestartCount"] == 0:
        assert time.monotonic() < until
        time.sleep(0.2)
    stack.wait_until_ready()
    with stack.stackspot():
        assert stack.chat(key).status_code == 200


def test_a_gateway_that_hangs_is_started_again(stack: Stack, key: str) -> None:
    """By Docker's own checks, and more of them, as those alone would take two minutes."""
    gateway = stack.inspect("gateway")
    [hanging] = psutil.Process(gateway["State"]["Pid"]).children()
    hanging.suspend()
    until = time.monotonic() + 180
    told = []
    while stack.inspect("gateway")["RestartCount"] == gateway["RestartCount"]:
        check = ("exec", "--no-TTY", "gateway", "python3", "-m", "gateway.health", "--seconds", "1")
        told.append(stack.command("docker", "compose", *check).stdout)
        assert time.monotonic() < until, told
    assert any("does not answer: " in one for one in told), told
    stack.wait_until_ready()
    with stack.stackspot():
        assert stack.chat(key).status_code == 200


def test_make_up_after_a_mistake_is_corrected(stack: Stack, key: str) -> None:
    """Docker sees no change in a gateway that waits: the file alone is another."""
    config = stack.folder / "litellm_config.yaml"
    right = config.read_text()
    config.write_text(f"{right}\nrouter_settings: {{}}\n")
    stack.compose("restart", "gateway")
    until = time.monotonic() + 30
    while "router_settings stands in line" not in stack.last_line("gateway"):
        assert time.monotonic() < until
        time.sleep(0.5)
    again = stack.command("make", "up")
    assert again.returncode != 0
    assert "router_settings stands in line" in again.stdout.splitlines()[-2]
    config.write_text(right)
    stack.make("up")
    with stack.stackspot():
        assert stack.chat(key).status_code == 200


def test_down_lets_a_stream_finish_and_keeps_the_data(stack: Stack, key: str) -> None:
    """Ends with the stack up again, with a second worker and another master key."""
    body = {"model": "stackspot", "stream": True, "messages": [{"role": "user", "content": "one two three " * 6}]}
    received: list[str] = []

    def listen() -> None:
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.stream("POST", f"{stack.url}/v1/chat/completions", headers=headers, json=body, timeout=60) as answer:
            received.extend(line for line in answer.iter_lines() if line)

    with stack.stackspot(pace=0.3):
        client = threading.Thread(target=listen)
        client.start()
        until = time.monotonic() + 20
        while not received:
            assert time.monotonic() < until
            time.sleep(0.05)
        stack.compose("stop", "gateway")
        client.join(timeout=60)
    assert received[-1] == "data: [DONE]"
    stack.make("down")
    assert stack.compose("ps", "--all", "--quiet") == ""
    former = stack.master_key
    stack.fill_in({"GATEWAY_WORKERS": "2", "LITELLM_MASTER_KEY": f"{former}-rotated"})
    stack.make("up")
    with stack.stackspot():
        assert stack.chat(key).status_code == 200
    assert stack.post("/key/generate", former, {}).status_code == 401
    assert stack.new_key()


def test_the_workers_share_a_key_s_limits(stack: Stack, stackspot: None) -> None:
    key = stack.new_key(rpm_limit=4)
    statuses = [stack.chat(key).status_code for _ in range(12)]
    if int(time.time()) % 60 < 12:  # a minute may have begun in between
        assert statuses.count(200) <= 8
    else:
        assert statuses.count(200) == 4
    assert set(statuses) == {200, 429}


def test_a_revoked_key_is_refused_by_every_worker_at_once(stack: Stack, stackspot: None) -> None:
    key = stack.new_key()
    assert [stack.chat(key).status_code for _ in range(8)] == [200] * 8
    stack.post("/key/block", stack.master_key, {"key": key})  # as `make revoke` does
    stack.post("/key/delete", stack.master_key, {"keys": [key]})
    assert [stack.chat(key).status_code for _ in range(8)] == [401] * 8


def test_keys_are_handed_out_in_the_container(stack: Stack) -> None:
    """As a team does whose host has Docker alone: no terminal, no Python, no address, no master key typed."""

    def gateway(*words: str) -> str:
        return stack.compose("exec", "-T", "gateway", "python3", "-m", "gateway", *words)

    stack.fill_in({"KEY_RPM": "77"})
    stack.make("up")
    made = json.loads(gateway("keys", "create", "erin", "--budget", "3", "--json"))
    assert (made["max_budget"], made["rpm_limit"]) == (3, 77), "what is typed, and what .env says"
    with stack.stackspot():  # made anew with the gateway's container, whose network it is in
        assert stack.chat(made["key"]).status_code == 200
    assert re.search(r"^erin +- +[\d.]+ +3 / 30d +77 ", gateway("keys", "list"), re.MULTILINE)
    assert re.search(r"^erin +- +[\d.]+ +3 / 30d +77 ", stack.make("keys"), re.MULTILINE), "the same on the host"
    assert "teams create backend" in gateway("teams", "list")
    assert gateway("usage", "--days", "1").startswith(("Usage, ", "No usage, "))
    assert "erin's key is revoked" in gateway("keys", "revoke", "erin")
    assert stack.chat(made["key"]).status_code == 401
    wrong = stack.command("docker", "compose", "exec", "-T", "gateway", "python3", "-m", "gateway", "keys", "create")
    assert (wrong.returncode, len(wrong.stdout.splitlines())) == (2, 1)
    backup = stack.command("docker", "compose", "exec", "-T", "gateway", "python3", "-m", "gateway", "backup")
    assert backup.stdout.startswith("`backup` is for the host: ")


def test_upgrade_and_the_way_back(stack: Stack, docker: Docker, key: str) -> None:
    former = images()["gateway"]
    newer = f"{former}-next"
    docker.run("run", "--name", "newer", "--entrypoint", "true", former)
    docker.run("commit", "--change", "ENV STAND_IN=newer", "newer", newer)
    docker.run("rm", "newer")
    publish(docker, newer)
    docker.run("rmi", newer)

    compose_file = stack.folder / "docker-compose.yml"
    pinned = compose_file.read_text()
    compose_file.write_text(pinned.replace(f"image: {former}", f"image: {newer}"))
    stack.fill_in({"GATEWAY_WORKERS": "1"})
    told = stack.make("upgrade")
    assert "Upgraded; the gateway is ready." in told
    assert "STAND_IN=newer" in stack.inspect("gateway")["Config"]["Env"]
    way_back = re.search(r"make restore FILE=(\S+)", told)
    assert way_back
    assert f"gateway: {former}" in told
    backup = stack.folder / way_back[1]
    assert re.fullmatch(r"litellm-\d{4}-\d\d-\d\dT\d{6}Z\.dump", backup.name)
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600

    later = stack.new_key(key_alias="later")
    deleted = stack.post("/key/delete", stack.master_key, {"keys": [key]})
    assert deleted.status_code == 200
    compose_file.write_text(pinned)
    stack.make("restore", f"FILE={way_back[1]}")
    assert "STAND_IN=newer" not in stack.inspect("gateway")["Config"]["Env"]
    with stack.stackspot():
        assert stack.chat(key).status_code == 200
        assert stack.chat(later).status_code == 401


def test_backups_are_dated_and_private(stack: Stack) -> None:
    name = stack.make("backup").strip()
    assert stat.S_IMODE((stack.folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((stack.folder / "backups").stat().st_mode) == 0o700
    assert not list((stack.folder / "backups").glob("*.part"))


def test_a_damaged_backup_changes_nothing(stack: Stack, key: str) -> None:
    name = stack.make("backup").strip()
    damaged = stack.folder / "damaged.dump"
    damaged.write_bytes((stack.folder / name).read_bytes()[:-20000])
    started = stack.inspect("gateway")["State"]["StartedAt"]
    restore = stack.command("make", "restore", "FILE=damaged.dump")
    assert restore.returncode != 0
    assert "damaged.dump cannot be restored; the present data are unchanged." in restore.stdout
    assert stack.inspect("gateway")["State"]["StartedAt"] == started
    info = httpx.get(f"{stack.url}/key/info", headers={"Authorization": f"Bearer {key}"})
    assert json.loads(info.text)["info"]["key_alias"] == "dev1"
    missing = stack.command("make", "restore")
    assert missing.returncode != 0
    assert "make restore FILE=" in missing.stdout


def test_every_password_can_be_changed_as_the_documentation_says(stack: Stack, key: str) -> None:
    former = stack.settings
    new = {name: f"{former[name]}-rotated" for name in ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "UI_PASSWORD")}
    command = re.search(r"`(docker compose exec .*? psql .*?)`", (ROOT / "docs" / "operations.md").read_text())
    assert command
    stack.command("sh", "-c", command[1].replace("'...'", f"'{new['POSTGRES_PASSWORD']}'"))
    stack.fill_in(new)
    stack.make("up")
    with stack.stackspot():
        assert stack.chat(key).status_code == 200
    login = {"username": former["UI_USERNAME"], "password": former["UI_PASSWORD"]}
    assert httpx.post(f"{stack.url}/v2/login", json=login).status_code == 401
    assert httpx.post(f"{stack.url}/v2/login", json={**login, "password": new["UI_PASSWORD"]}).status_code == 200
    for password, refused in ((former["POSTGRES_PASSWORD"], True), (new["POSTGRES_PASSWORD"], False)):
        connect = f"import psycopg; psycopg.connect('postgresql://litellm:{password}@database/litellm')"
        done = stack.command("docker", "compose", "exec", "-T", "gateway", "python3", "-c", connect)
        assert ("password authentication failed" in done.stdout) is refused, done.stdout
    assert "NOAUTH" in stack.compose("exec", "-T", "redis", "redis-cli", "dbsize")
