"""Doctor with a gateway that runs."""

import json
import subprocess
import sys

from gateway.processes import Server
from simulator.client import Simulator
from tests.harness import ROOT, Account, clean_environment


def test_doctor_sees_the_running_gateway(gateway: Server, simulator: Simulator, account: Account) -> None:
    environ = {
        **account.for_gateway(simulator.url),
        "LITELLM_MASTER_KEY": "sk-of-this-test",
        "GATEWAY_URL": gateway.url,
    }
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "doctor", "--json"],
        cwd=ROOT, env=clean_environment(environ), capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = json.loads(done.stdout)
    checks = {each["check"]: each for each in told["checks"]}
    assert (done.returncode, done.stderr, told["ok"]) == (0, "", True), done.stdout
    assert checks["gateway"]["outcome"] == "ok"
    assert checks["gateway"]["message"] == "ready, without a database: it has no keys"
    assert checks["LiteLLM"]["outcome"] == "ok"
    assert account.client_secret not in done.stdout
