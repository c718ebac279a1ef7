"""The calls that docs/developers.md has a new developer make, with a developer's key."""

import json
import shlex
from typing import Any

import httpx
import pytest

from simulator.client import Simulator
from tests.developers import Developer, hire
from tests.harness import ALL_NAMES, ROOT, WITHOUT_TLS, Server
from tests.markdown import Page

GATEWAY = "https://gateway.example.com"
CALLS = [
    text
    for _, text in Page.read(ROOT / "docs" / "developers.md").blocks
    if text.startswith("curl ")
]  # fmt: skip


def call(command: str, gateway: Server, developer: Developer) -> Any:
    """The JSON that a curl command gets; it is read as a shell and curl would read it."""
    filled = command.replace(GATEWAY, gateway.url).replace("$STACKSPOT_GATEWAY_KEY", developer.key)
    program, silent, url, *options = shlex.split(filled.replace("\\\n", ""))
    assert (program, silent) == ("curl", "-s")
    named = list(zip(options[::2], options[1::2], strict=True))
    assert {name for name, _ in named} <= {"-H", "-d"}
    headers = dict(value.split(": ", 1) for name, value in named if name == "-H")
    bodies = [value for name, value in named if name == "-d"]
    method = "POST" if bodies else "GET"
    answer = httpx.request(
        method, url, headers=headers, content="".join(bodies) or None, timeout=60, trust_env=False, verify=WITHOUT_TLS
    )
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text)


@pytest.fixture
def answers(team_gateway: Server, simulator: Simulator) -> list[Any]:
    developer = hire(team_gateway, max_budget=5, budget_duration="30d", duration="90d")
    return [call(command, team_gateway, developer) for command in CALLS]


def test_they_show_what_the_page_says(answers: list[Any]) -> None:
    models, answer, key = answers
    assert {model["id"] for model in models["data"]} == {*ALL_NAMES}
    assert answer["choices"][0]["message"]["content"]
    assert {"spend", "max_budget", "budget_reset_at", "expires"} <= key["info"].keys()
