"""`make demo` and `make run` as a newcomer uses them."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import httpx
import psutil
import pytest

from database.local import data_folder
from database.postgres import Server as Postgres
from gateway.run import LOG
from simulator.client import Simulator
from tests.harness import ALL_NAMES, ROOT, Account, clean_environment, free_port
from tests.waiting import eventually

NOWHERE = "http://127.0.0.1:9"  # nobody answers there
PROXIED = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), NOWHERE)
VENDORS = {"OPENAI_API_KEY": "sk-theirs", "OPENAI_BASE_URL": NOWHERE, "ANTHROPIC_API_KEY": "sk-theirs"}
# What a developer's shell may hold: the demo uses nothing of it.
EXPORTED = {
    **PROXIED,
    **VENDORS,
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing",
    "DIRECT_URL": "postgresql://nobody@127.0.0.1:9/nothing",
    "REDIS_HOST": "127.0.0.1",
    "REDIS_PORT": "9",
    "LITELLM_MASTER_KEY": "sk-the-users-own-key",
    "STACKSPOT_REALM": "the-users-own",
    "STACKSPOT_LOG_LEVEL": "LOUD",
    "UI_PASSWORD": "the-users-own",
    "CONFIG_FILE_PATH": "/nowhere",
}


def shell(**exported: str) -> dict[str, str]:
    """A shell that exempts nothing from its proxies."""
    clean = {name: value for name, value in clean_environment({}).items() if name.upper() != "NO_PROXY"}
    return {**clean, **exported}


def descendants(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    return list(psutil.Process(process.pid).children(recursive=True))


def is_first(process: psutil.Process) -> bool:
    """Whether a process of Postgres is the server, which has started the others."""
    parent = process.parent()
    return parent is None or parent.name() != "postgres"


def test_the_demo_ends_by_itself() -> None:
    run = subprocess.run(
        ["make", "demo", "ONCE=1"], cwd=ROOT, env=shell(**EXPORTED), capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    answers = re.findall(r"^  (\S+) +Hello! You asked", run.stdout, re.MULTILINE)
    assert answers == list(ALL_NAMES)
    assert run.stdout.count(" -> ") == 6, "the agent's calls of tools"
    assert "Done: 2 files changed, and the tests pass." in run.stdout
    assert ":.2f" in (ROOT / ".data" / "demo" / "project" / "receipt.py").read_text()
    spent = re.search(r"spent so far: ([\d.]+)", run.stdout)
    assert spent is not None
    tokens = re.search(r"7 requests, ([\d,]+) tokens", run.stdout)
    assert tokens is not None
    assert float(spent[1]) == pytest.approx(int(tokens[1].replace(",", "")) / 1e6)
    assert "Traceback" not in run.stdout + run.stderr
    assert "the-users-own" not in run.stdout
    steps = re.findall(r"^(Starting .*) \.\.\.$\n(?:  \d+ s.* \.\.\.$\n)*  done in \d+ s$", run.stdout, re.MULTILINE)
    assert [step.split()[-1] for step in steps] == ["simulator", "Postgres", "litellm_config.yaml"]


def test_the_demo_stops_on_ctrl_c() -> None:
    demo = subprocess.Popen(
        ["make", "demo"],
        cwd=ROOT,
        env=clean_environment({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert demo.stdout is not None
    lines: list[str] = []
    for line in demo.stdout:
        lines.append(line)
        if "Ctrl-C ends it" in line:
            break
    address = re.search(r"OPENAI_BASE_URL=(\S+)/v1", "".join(lines))
    assert address is not None, "".join(lines)
    assert httpx.get(f"{address[1]}/health/liveliness").status_code == 200
    key = re.search(r"OPENAI_API_KEY=(\S+)", "".join(lines))
    assert key is not None
    curl = "".join(lines).partition("OPENAI_API_KEY=")[2].partition("\n")[2].partition("\n\n")[0]
    environ = {**os.environ, "OPENAI_BASE_URL": f"{address[1]}/v1", "OPENAI_API_KEY": key[1]}
    told = subprocess.run(["bash", "-c", curl], env=environ, capture_output=True, text=True, check=False)
    assert json.loads(told.stdout)["choices"], told.stderr
    info = httpx.get(f"{address[1]}/key/info", headers={"Authorization": f"Bearer {key[1]}"}).json()["info"]
    assert (info["key_alias"], info["user_id"], info["team_id"]) == ("dev1", "dev1", "backend"), (
        "as `make key` makes them"
    )
    os.killpg(demo.pid, signal.SIGINT)
    rest = demo.communicate(timeout=240)[0]
    assert "Stopped." in rest
    assert "Traceback" not in rest
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address[1]}/health/liveliness")


def test_run_serves_with_credentials_from_the_environment(
    simulator: Simulator, account: Account, tmp_path: Path
) -> None:
    port, metrics, key = free_port(), free_port(), "sk-test-of-make-run-0123456789"
    environ = {**account.for_gateway(simulator.url), "LITELLM_MASTER_KEY": key, "GATEWAY_PORT": str(port)}
    environ["GATEWAY_METRICS_PORT"] = str(metrics)
    log = (tmp_path / "run.log").open("w+")
    run = subprocess.Popen(
        ["make", "run"], cwd=ROOT, env=shell(**environ, **PROXIED, **VENDORS), stdout=log, stderr=subprocess.STDOUT
    )
    try:
        body = {"model": "stackspot", "messages": [{"role": "user", "content": "Hi"}]}
        url, headers = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {key}"}
        wait_for(f"{url}/health/readiness", run, log.name)
        assert httpx.get(f"{url}/health/readiness").json()["db"] == "connected"
        response = httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=30)
        assert response.status_code == 200, response.text
        refused = httpx.post(f"{url}/v1/chat/completions", json=body | {"model": "none"}, headers=headers, timeout=30)
        assert refused.status_code == 400, refused.text
        shows = httpx.get(f"http://127.0.0.1:{metrics}/metrics/", timeout=30).text
        assert 'stackspot_requests_total{model="stackspot-ai-chat",outcome="answered"} 1.0' in shows
        [postgres] = [each for each in Postgres(data_folder(ROOT)).processes() if is_first(each)]
        before = len(Path(log.name).read_text())
        postgres.kill()
        eventually(lambda: "Postgres had ended; it runs again." in Path(log.name).read_text(), "Postgres runs again")
        new_key = f"{url}/key/generate"
        made = lambda: httpx.post(new_key, json={}, headers=headers, timeout=60).status_code == 200  # noqa: E731
        eventually(made, "LiteLLM has it again", 120)
        gateway = [each for each in descendants(run) if "litellm" in " ".join(each.cmdline())]
        assert gateway
        for process in gateway:
            given = process.environ()
            assert given["LITELLM_MASTER_KEY"] == key
            assert not set(VENDORS) & set(given)
    finally:
        os.kill(run.pid, signal.SIGTERM)
        run.wait(60)
    shown = Path(log.name).read_text()
    assert f"Starting the gateway (its log: {LOG}) ..." in shown
    start, *lines = shown[shown.index("The gateway is ready:") :].splitlines()
    assert [re.sub(r"^[^:]+: +", "", line) for line in (start, *lines[:2])] == [
        f"{url}/v1",
        f"{url}/ui (login: admin, with the password in LITELLM_MASTER_KEY)",
        "make key NAME=you",
    ]
    assert lines[2].startswith("ERROR: "), "an error afterwards is shown"
    assert "Thank you for using LiteLLM" not in shown
    assert '"level"' not in shown
    assert before < 2500, shown
    kept = (ROOT / LOG).read_text()
    assert "Uvicorn running on" in kept, "and all of it is in the file"
    assert '"POST /v1/chat/completions HTTP/1.1\\" 200' in kept


def wait_for(address: str, process: "subprocess.Popen[bytes]", log: str) -> None:
    for _ in range(600):
        try:
            if httpx.get(address, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        assert process.poll() is None, Path(log).read_text()[-4000:]
        time.sleep(0.3)
    raise AssertionError(Path(log).read_text()[-4000:])
