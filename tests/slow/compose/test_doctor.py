"""`doctor --deep` and `--report` in the gateway's container, by the very commands of docs/operations.md."""

import re
from collections.abc import Iterator

import pytest

from gateway.doctor.deep.run import CASES
from tests.harness import ROOT
from tests.markdown import Page
from tests.slow.compose.stack import SIMULATOR_PORT, Stack

pytestmark = pytest.mark.compose

REQUESTS = sum(case.requests for case in CASES)
TEACH = f"""
from simulator.client import Simulator
from tests.gateway.administration.deep_answers import teach
teach(Simulator("http://127.0.0.1:{SIMULATOR_PORT}"))
"""


@pytest.fixture(scope="module")
def stackspot(stack: Stack) -> Iterator[None]:
    """The simulator, with a right answer to every case."""
    with stack.stackspot():
        stack.beside_the_gateway("-c", TEACH)
        yield


def commands(words: str) -> list[str]:
    """What a Docker team types for it: the lines of the one block that holds `words`."""
    blocks = [text for language, text in Page.read(ROOT / "docs" / "operations.md").blocks if language == "sh"]
    [found] = [text.splitlines() for text in blocks if words in text]
    return found


@pytest.mark.usefixtures("stackspot")
def test_a_model_has_its_score(stack: Stack) -> None:
    [command] = commands("doctor --deep")
    done = stack.command("sh", "-c", command)
    assert done.returncode == 0, done.stdout
    assert f"Deep: {REQUESTS} requests, one after the other, to stackspot-ai-code: about 0.0" in done.stdout
    assert "deep stackspot-ai-code: 31 of 31: tools 16/16, JSON 8/8, turns 7/7." in done.stdout
    for line in ("Postgres: answers;", "Redis: takes the login and answers.", "gateway: ready, with its database."):
        assert line in done.stdout, done.stdout
    assert not re.search("FAILED|Traceback", done.stdout), done.stdout
    assert not [value for value in hidden(stack) if value in done.stdout]


@pytest.mark.usefixtures("stackspot")
def test_the_report_gets_out_of_the_container(stack: Stack) -> None:
    for command in commands("doctor --report"):
        done = stack.command("sh", "-c", command)
        assert done.returncode == 0, done.stdout
    report = (stack.folder / "wire.md").read_text()
    for section in ("## Facts", "## Not looked at", "### token", "### stream", "- delta: {message: "):
        assert section in report
    told = re.findall(r"^\| [\d.]+ \| .+? \| (\w+)", report.partition("## Not looked at")[0], re.MULTILINE)
    assert told.count("confirmed") > 5
    assert told.count("different") == 3, "what the simulator does otherwise: tests/unit/gateway/doctor/test_report.py"
    assert not [value for value in (*hidden(stack), "127.0.0.1") if value in report]


def hidden(stack: Stack) -> list[str]:
    account = stack.account
    return [account.client_secret, *(str(stack.settings[name]) for name in ("LITELLM_MASTER_KEY", "REDIS_PASSWORD"))]
