"""Checkers that others wrote, run against the gateway; the simulator plays a model that knows how to call tools."""

import json
import os
import subprocess

import pytest

from simulator.client import Simulator
from tests.harness import BIN, Server


def call(name: str, **arguments: object) -> str:
    body = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
    return f"<tool_call>{body}</tool_call>"


# What a good model would answer: the last user message as a pattern (nothing but the rules behind it), then the answer.
GOOD_MODEL = {
    r"weather in Paris right now\? Use the tool": call("get_weather", city="Paris"),
    r"weather in Paris and in Tokyo": call("get_weather", city="Paris") + "\n" + call("get_weather", city="Tokyo"),
    r"What is 17 \+ 25": "42",
    r"titled 'Design review'": call(
        "create_event",
        title="Design review",
        start="2026-10-01T15:00:00Z",
        attendees=[{"name": "Ana", "email": "ana@example.com"}, {"name": "Bo", "email": "bo@example.com"}],
        location={"city": "Berlin", "room": "4.12"},
    ),
    r"titled 'Grüße aus Zürich'": call("save_note", title="Grüße aus Zürich", body="Café ☕ in 東京 — naïve résumé 🚀"),
    r"What time is it on the server": call("get_server_time"),
    r"Tell me something about Lisbon": call("get_weather", city="Lisbon"),
    r"which number is larger": "<think>9.9 is 9.90.</think>" + call("record_answer", answer="9.9"),
    r"Call get_diagnostic_value": call("get_diagnostic_value", challenge="apiwells-tool-check"),
    r"Return JSON only": '{"name": "diagnostic", "value": 42}',
}


@pytest.fixture
def good_model(simulator: Simulator) -> None:
    simulator.rule("It is 18 °C and clear in Paris.", when='"temp_c": 18')
    for question, answer in GOOD_MODEL.items():
        simulator.rule(answer, pattern=rf"(?s){question}[^=]*(=== FORMAT|$)")


def checked(command: list[str | os.PathLike[str]], server: Server) -> str:
    environ = {**os.environ, "GATEWAY_KEY": server.key}
    run = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    return run.stdout + run.stderr


def test_canitoolcall_probe(gateway: Server, good_model: None) -> None:
    report = checked(
        [
            BIN / "canitoolcall",
            *("probe", "--base-url", f"{gateway.url}/v1", "--model", "stackspot-code", "--api-key-env", "GATEWAY_KEY"),
        ],
        gateway,
    )
    assert "summary: 27 pass, 0 fail, 0 error, 0 skip" in report, report


def test_apiwells_doctor(gateway: Server, good_model: None) -> None:
    report = checked(
        [
            BIN / "apiwells",
            *("doctor", "--base-url", f"{gateway.url}/v1", "--model", "stackspot-code", "--deep"),
            *("--api-key-env", "GATEWAY_KEY"),
        ],
        gateway,
    )
    assert "FAIL" not in report, report
    for capability in ("/models", "Chat Completions", "Streaming", "Structured Output"):
        assert f"{capability:<23}PASS / SUPPORTED" in report, report
