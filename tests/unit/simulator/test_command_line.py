"""Starting and stopping."""

import signal
import subprocess
import sys

import httpx
import pytest

from tests.harness import ROOT, Account, clean_environment
from tests.sampling import every, first
from tests.unit.simulator.calling import AGENT

GIVEN = {
    "--realm": "acme",
    "--client-id": "me",
    "--client-secret": "secret",
    "--api-key": "sk-key",
    "--agent": AGENT,
}


def run(*arguments: str, **environ: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "simulator", *arguments],
        env=clean_environment(environ),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def words(options: dict[str, str]) -> list[str]:
    return [word for pair in options.items() for word in pair]


def failure(*arguments: str, **environ: str) -> tuple[int, str]:
    with run(*arguments, **environ) as process:
        _, complaint = process.communicate(timeout=20)
        return process.returncode, complaint


@pytest.mark.parametrize("number", first([signal.SIGTERM, signal.SIGINT]))
def test_one_line_when_ready_and_a_clean_stop(number: signal.Signals) -> None:
    with run(*words(GIVEN)) as process:
        assert process.stdout
        assert process.stderr
        line = process.stdout.readline()
        assert line.startswith("simulator ready on http://127.0.0.1:")
        url = line.split()[-1]
        form = {"grant_type": "client_credentials", "client_id": "me", "client_secret": "secret"}
        bearer = httpx.post(f"{url}/acme/oidc/oauth/token", data=form).json()["access_token"]
        httpx.put(f"{url}/simulator/faults", json={"stall_after": 1})
        headers = {"Authorization": f"Bearer {bearer}"}
        body = {"user_prompt": "x", "streaming": True}
        with httpx.stream("POST", f"{url}/v1/agent/{AGENT}/chat", json=body, headers=headers) as stalled:
            assert stalled.status_code == 200
            process.send_signal(number)
            assert process.wait(10) == 0
        assert process.stdout.read() == ""
        assert process.stderr.read() == ""


def test_the_environment_is_enough(account: Account) -> None:
    with run(**account.for_simulator(), SIMULATOR_AGENTS=f"{AGENT},01J0000000000000000000C0DE") as process:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        state = httpx.get(f"{url}/simulator/state").json()
        process.terminate()
    assert state["agents"] == sorted([AGENT, "01J0000000000000000000C0DE"])


@pytest.mark.parametrize("name", every(4, GIVEN))
def test_what_is_missing_is_named(name: str) -> None:
    given = {option: value for option, value in GIVEN.items() if option != name}
    status, complaint = failure(*words(given))
    assert status == 2
    assert complaint.startswith(f"simulator: still needed: {name} or SIMULATOR_")
    assert complaint.count("\n") == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    first(
        [
            ({"--host": "0.0.0.0"}, "needs --control-token or SIMULATOR_CONTROL_TOKEN"),  # noqa: S104
            ({"--agent": "my-agent"}, "an agent's id is a ULID"),
            ({"--model": "oracle"}, "There is no model oracle"),
        ]
    ),
)
def test_what_is_wrong_is_said(changes: dict[str, str], sentence: str) -> None:
    status, complaint = failure(*words({**GIVEN, **changes}))
    assert status == 2
    assert sentence in complaint
    assert complaint.count("\n") == 1


def test_a_port_that_is_taken() -> None:
    with run(*words(GIVEN)) as process:
        assert process.stdout
        port = process.stdout.readline().rpartition(":")[2].strip()
        status, complaint = failure(*words(GIVEN), "--port", port)
        process.terminate()
    assert status == 1
    assert complaint.startswith(f"simulator: cannot listen on 127.0.0.1 port {port}")


def test_pace_and_first_byte_delay_are_defaults_for_all(account: Account) -> None:
    arguments = ["--pace", "0.05", "--first-byte-delay", "0.2", "--agent", AGENT]
    with run(*arguments, **account.for_simulator()) as process:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        httpx.post(f"{url}/simulator/answers", json={"answer": {"pieces": list("abcde")}})
        headers = {"Authorization": f"Bearer {account.api_key}"}
        body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": True}
        response = httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers)
        process.terminate()
    assert response.elapsed.total_seconds() >= 0.4
