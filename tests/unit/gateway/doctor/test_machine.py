"""Doctor's look at settings, the gateway's versions and memory, and its time limits."""

import os
import threading
from pathlib import Path

import pytest

from gateway import cli
from gateway.doctor import machine, settings
from gateway.doctor.results import Group, Outcome, Result, ok, together
from tests.unit.gateway.doctor.conftest import Doctor, listening, saying

GIGABYTE = 1024**3


@pytest.mark.parametrize(
    ("version", "outcome"),
    [("1.82.7", "failure"), ("1.82.8", "failure"), ("1.107.0", "failure"), ("1.108.12", "warning"),
     ("1.99.9", "warning"),      ("1.108.13", "ok"), ("1.109.0rc1", "ok")],
)  # fmt: skip
def test_versions(version: str, outcome: str) -> None:
    [found] = machine.versions("", version, "")
    assert found.outcome == outcome
    assert found.message.startswith(f"{version} (installed)")


def test_each_version_has_a_line() -> None:
    found = machine.versions("1.107.0", "1.108.14", "1.108.14")
    assert [(each.outcome, each.message) for each in found] == [
        (Outcome.FAILURE, "1.107.0 (running) was published by an attacker"),
        (Outcome.OK, "1.108.14 (installed, docker-compose.yml)"),
    ]
    assert machine.versions("", "", "")[0].outcome is Outcome.NOTE


def test_a_gateway_that_is_none(doctor: Doctor) -> None:
    with listening(saying(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")) as port:
        outcome, message, advice = doctor("--no-agents", GATEWAY_URL=f"http://127.0.0.1:{port}").told("gateway")
    assert (outcome, message) == ("failure", "what answers there is no LiteLLM gateway")
    assert "GATEWAY_URL" in advice
    outcome, message, advice = doctor("--no-agents", GATEWAY_URL="https://gateway.invalid").told("gateway")
    assert (outcome, message) == ("failure", "DNS: the name of gateway.invalid is unknown")
    assert "GATEWAY_URL" in advice


def linux(folder: Path, free: int, limit: int | None = None, used: int = 0) -> Path:
    (folder / "proc").mkdir()
    kilobytes = f"MemTotal: {16 * GIGABYTE // 1024} kB\nMemAvailable: {free // 1024} kB\n"
    (folder / "proc/meminfo").write_text(kilobytes)
    group = folder / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("max\n" if limit is None else f"{limit}\n")
    (group / "memory.current").write_text(f"{used}\n")
    (group / "memory.stat").write_text(f"anon 1\ninactive_file {GIGABYTE}\n")
    return folder


def test_memory_of_the_machine_and_of_the_container(tmp_path: Path) -> None:
    for name in ("machine", "container", "elsewhere"):
        (tmp_path / name).mkdir()
    assert machine.available(linux(tmp_path / "machine", 8 * GIGABYTE)) == (8 * GIGABYTE, 16 * GIGABYTE)
    contained = linux(tmp_path / "container", 8 * GIGABYTE, 4 * GIGABYTE, 3 * GIGABYTE)
    assert machine.available(contained) == (2 * GIGABYTE, 4 * GIGABYTE)
    assert machine.available(tmp_path / "elsewhere") is None


@pytest.mark.parametrize(
    ("environ", "found", "outcome", "variable"),
    [
        ({}, (8, 16), "ok", ""),
        ({"GATEWAY_WORKERS": "3"}, (8, 16), "ok", ""),
        ({"GATEWAY_WORKERS": "4"}, (2, 4), "warning", "GATEWAY_WORKERS"),
        ({"GATEWAY_WORKERS": "4", "GATEWAY_MEMORY": "4g"}, (8, 16), "warning", "GATEWAY_MEMORY"),
        ({}, (0, 16), "warning", "GATEWAY_WORKERS"),
        ({"GATEWAY_WORKERS": "many"}, (8, 16), "failure", "GATEWAY_WORKERS"),
        ({}, None, "note", ""),
    ],
)
def test_memory_against_workers(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], found: tuple[int, int] | None, outcome: str, variable: str
) -> None:
    monkeypatch.setattr(machine, "available", lambda: found and tuple(part * GIGABYTE for part in found))
    [told] = machine.memory(environ)
    assert told.outcome == outcome
    assert variable in told.advice


def test_settings_with_their_source() -> None:
    in_file = {"STACKSPOT_REALM": "acme", "STACKSPOT_BURST": "7", "DATABASE_URL": "postgresql://me:hunter2@db/x"}
    in_file["STACKSPOT_INPUT_COST_PER_TOKEN"] = "0.0000025"
    process = {"STACKSPOT_BURST": "9", "HTTPS_PROXY": "http://me:hunter2@proxy:1", "STACKSPOT_API_KEY": "hunter2"}
    found = {each.name: (each.source, each.shown) for each in settings.every({".env": in_file}, process)}
    assert found["STACKSPOT_REALM"] == (".env", "acme")
    assert found["STACKSPOT_BURST"] == ("environment", "9")
    assert found["STACKSPOT_IDM_URL"] == ("default", "https://idm.stackspot.com")
    assert found["DATABASE_URL"] == (".env", "present")
    assert found["HTTPS_PROXY"] == ("environment", "present")
    assert found["STACKSPOT_API_KEY"] == ("environment", "present")
    assert found["STACKSPOT_CLIENT_SECRET"] == ("missing", "")
    assert found["GATEWAY_PORT"] == ("default", "")
    assert found["STACKSPOT_INPUT_COST_PER_TOKEN"] == (".env", "0.0000025")
    assert found["STACKSPOT_OUTPUT_COST_PER_TOKEN"] == ("default", "")
    assert "hunter2" not in str(found)


@pytest.mark.parametrize(
    "name",
    [
        "STACKSPOT_REALM",
        "STACKSPOT_AGENT_ID",
        "GATEWAY_PORT",
        "KEY_BUDGET",
        "GATEWAY_URL",
        "STACKSPOT_INPUT_COST_PER_TOKEN",
    ],
)
def test_a_secret_in_the_wrong_line_is_not_shown(name: str) -> None:
    secret = "Zm9vYmFyLXNlY3JldC0xMjM0NTY"
    assert secret not in str(settings.every({".env": {name: secret}}, {name: f"https://me:{secret}@x"}))
    assert secret not in str(settings.every({".env": {name: secret}}, {}))


def test_what_hangs_is_told_and_left() -> None:
    gone = threading.Event()

    def hang(_: object) -> list[Result]:
        gone.wait(60)
        return []

    def fail(_: object) -> list[Result]:
        raise RuntimeError("with a secret")

    groups = [Group("slow", hang, 0.2, "Set X."), Group("fast", lambda _: [ok("fast", "is well")], 5, "")]
    found = together([*groups, Group("broken", fail, 5, "")], {})
    gone.set()
    assert [(each.check, each.outcome) for each in found] == [
        ("slow", "failure"),
        ("fast", "ok"),
        ("broken", "failure"),
    ]
    assert (found[0].message, found[0].advice) == ("not finished after 0.2 s", "Set X.")
    assert "secret" not in str(found)


def test_one_line_for_each(doctor: Doctor, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACKSPOT_IDM_URL", "https://idm.invalid")
    monkeypatch.setenv("GATEWAY_ENV_FILE", os.devnull)
    status = cli.main(["--url", "http://127.0.0.1:9", "doctor", "--no-agents"])
    lines = capsys.readouterr().out.split("\n\n")[1].splitlines()
    assert status == 1, "the environment of this test has no credentials"
    assert all(line.startswith(("FAILED  ", "WARNING ", "note    ", "ok      ")) for line in lines)
    assert len(lines) == len(set(lines)) >= 8
