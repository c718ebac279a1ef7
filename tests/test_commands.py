"""`make demo` and `make run` as a newcomer uses them."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from simulator.client import Simulator
from tests.harness import ALL_NAMES, ROOT, Account, clean_environment, free_port


@pytest.fixture
def no_dotenv() -> Iterator[None]:
    """The owner's .env must not leak into the test, nor be lost."""
    own, aside = ROOT / ".env", ROOT / ".env.aside"
    if own.exists():
        own.rename(aside)
    try:
        yield
    finally:
        if aside.exists():
            aside.rename(own)


def test_the_demo_ends_by_itself() -> None:
    run = subprocess.run(
        ["make", "demo", "ONCE=1"], cwd=ROOT, env=clean_environment({}), capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    answers = re.findall(r"^  (\S+) +Hello! You asked", run.stdout, re.MULTILINE)
    assert answers == list(ALL_NAMES)
    spent = re.search(r"spent so far: ([\d.]+)", run.stdout)
    assert spent is not None
    assert float(spent[1]) > 0
    assert "Traceback" not in run.stdout + run.stderr


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
    os.killpg(demo.pid, signal.SIGINT)
    rest = demo.communicate(timeout=240)[0]
    assert "Stopped." in rest
    assert "Traceback" not in rest
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address[1]}/health/liveliness")


def test_run_serves_with_credentials_from_the_environment(
    simulator: Simulator, account: Account, no_dotenv: None, tmp_path: Path
) -> None:
    port, key = free_port(), "sk-test-of-make-run-0123456789"
    environ = {**account.for_gateway(simulator.url), "LITELLM_MASTER_KEY": key, "GATEWAY_PORT": str(port)}
    log = (tmp_path / "run.log").open("w+")
    run = subprocess.Popen(
        ["make", "run"], cwd=ROOT, env=clean_environment(environ), stdout=log, stderr=subprocess.STDOUT
    )
    try:
        body = {"model": "stackspot", "messages": [{"role": "user", "content": "Hi"}]}
        url, headers = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {key}"}
        wait_for(f"{url}/health/readiness", run, log.name)
        assert httpx.get(f"{url}/health/readiness").json()["db"] == "connected"
        response = httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=30)
        assert response.status_code == 200, response.text
    finally:
        os.kill(run.pid, signal.SIGTERM)
        run.wait(60)


def test_run_tells_every_mistake_and_starts_nothing(no_dotenv: None) -> None:
    environ = clean_environment({"STACKSPOT_REALM": "acme", "STACKSPOT_CODE_AGENT_ID": "no-ulid"})
    run = subprocess.run(["make", "run"], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert run.returncode != 0
    for name in ("LITELLM_MASTER_KEY", "STACKSPOT_CODE_AGENT_ID", "STACKSPOT_CLIENT_ID", "STACKSPOT_CHAT_AGENT_ID"):
        assert name in run.stderr
    assert "Traceback" not in run.stdout + run.stderr


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
