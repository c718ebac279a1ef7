"""`doctor --deep` over the real gateway: a model that can do all, and models with one flaw each."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import pytest

from gateway.doctor.deep import probe, run
from gateway.doctor.deep.case import Kind
from gateway.doctor.deep.run import CASES, Deep, Score
from gateway.doctor.results import Outcome
from gateway.failures import InputError
from gateway.processes import Server
from simulator.client import Simulator
from simulator.model import malformed
from tests.gateway.administration.deep_answers import ANSWERS, Good, plainly, teach
from tests.gateway.conformance.test_probes import GOOD_MODEL
from tests.harness import ROOT, Account, clean_environment
from tests.sampling import every, thorough

MODEL = "stackspot-ai-code"
FULL = {kind: sum(case.kind is kind for case in CASES) for kind in Kind}
REQUESTS = sum(case.requests for case in CASES)


def tried(gateway: Server, models: Sequence[str] = (MODEL,)) -> Deep:
    return run.run({"GATEWAY_URL": gateway.url, "GATEWAY_KEY": gateway.key}, models, lambda _: None)


def score(gateway: Server) -> Score:
    [found] = tried(gateway).scores
    return found


@pytest.fixture
def without_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "NAME", "not_installed_anywhere")


def test_the_answers_are_those_of_all_cases() -> None:
    asked = [case.name for case in CASES]
    assert len(set(asked)) == len(asked)
    assert {good.case for good in ANSWERS} == set(asked)
    assert len(ANSWERS) == REQUESTS


@pytest.mark.usefixtures("without_probe")
def test_a_model_that_can_do_all(gateway: Server, simulator: Simulator) -> None:
    teach(simulator)
    found = score(gateway)
    assert found.failed == {}
    assert found.message == "31 of 31: tools 16/16, JSON 8/8, turns 7/7"
    assert found.spent.requests == REQUESTS == len(simulator.requests("/chat"))
    mean = found.spent.tokens / REQUESTS
    assert run.TOKENS_A_REQUEST / 2 < mean < run.TOKENS_A_REQUEST * 2, mean


def broken(good: Good, texts: list[str]) -> str:
    if not texts:
        return good.text
    return malformed.malformed("first edit", "So.", texts, good.calls, "")


def chatty(good: Good, texts: list[str]) -> str:
    return malformed.malformed("list", "I see.", texts, good.calls, "") if len(texts) == 1 else plainly(good, texts)


def fenced(good: Good, texts: list[str]) -> str:
    return malformed.malformed("read", "I see.", texts, good.calls, "") if texts else good.text


def loose(good: Good, texts: list[str]) -> str:
    return malformed.malformed("edit", "I see.", texts, good.calls, "") if len(texts) == 1 else plainly(good, texts)


def unclosed(good: Good, texts: list[str]) -> str:
    return malformed.malformed("run", "I see.", texts, good.calls, "") if len(texts) == 1 else plainly(good, texts)


def forgetful(good: Good, texts: list[str]) -> str:
    return "I do not know." if good.seen else plainly(good, texts)


def one_at_a_time(good: Good, texts: list[str]) -> str:
    return good.text or texts[0]


def no_json(good: Good, texts: list[str]) -> str:
    return "Well, let me see." if good.text.startswith("{") else plainly(good, texts)


def strings(good: Good, texts: list[str]) -> str:
    return good.text.replace("34", '"about 34"').replace("42}", '"42"}') if good.text else plainly(good, texts)


def eager(good: Good, texts: list[str]) -> str:
    return (
        '<tool_call>{"name": "get_server_time", "arguments": {}}</tool_call>'
        if good.text == "42"
        else plainly(good, texts)
    )


@pytest.mark.parametrize(
    ("style", "passed"),
    every(
        3,
        [
            (broken, {Kind.TOOLS: 2, Kind.TURNS: 1}),
            (chatty, {}),
            (fenced, {}),
            (no_json, {Kind.JSON: 0}),
            (loose, {}),
            (one_at_a_time, {Kind.TOOLS: 14, Kind.TURNS: 6}),
            (forgetful, {Kind.TURNS: 0}),
            (strings, {Kind.JSON: 6}),
            (unclosed, {}),
            (eager, {Kind.TOOLS: 15}),
        ],
    ),
    ids=lambda value: getattr(value, "__name__", None),
)
@pytest.mark.usefixtures("without_probe")
def test_a_flaw_lowers_its_own_kind(gateway: Server, simulator: Simulator, style: Any, passed: dict[Kind, int]) -> None:
    teach(simulator, style)
    found = score(gateway)
    assert {kind: found.of(kind) for kind in Kind} == {
        kind: (passed.get(kind, count), count) for kind, count in FULL.items()
    }, found.failed
    lines = found.lines()
    assert len(lines) == 1 + len(found.failed)
    assert all(line.advice for line in lines[1:])


@pytest.mark.usefixtures("without_probe")
def test_a_model_that_answers_text_has_no_point(gateway: Server, simulator: Simulator) -> None:
    simulator.rule("Sure, I will do that for you right away.", pattern=".")
    found = score(gateway)
    assert {kind: found.of(kind)[0] for kind in Kind} == dict.fromkeys(Kind, 0)
    assert not found.stopped, "a useless answer is the model's, and no outage"
    told = " ".join(line.message for line in found.lines())
    assert "right away" not in told


@pytest.mark.usefixtures("without_probe")
@pytest.mark.parametrize("fault", [{"empty_answer": True}, {"null_message": True}], ids=str)
def test_no_text_is_no_point(gateway: Server, simulator: Simulator, fault: dict[str, Any]) -> None:
    teach(simulator)
    simulator.faults(**fault)
    found = score(gateway)
    assert not found.passed


@pytest.mark.usefixtures("without_probe")
def test_an_outage_is_no_score(gateway: Server, simulator: Simulator) -> None:
    simulator.faults(status=403, body="")
    deep = tried(gateway)
    [found] = deep.scores
    assert (found.failed, found.passed, found.spent.requests) == ({}, [], 3)
    assert found.stopped.startswith("the gateway answers HTTP ")
    assert [line.outcome for line in deep.lines()].count(Outcome.FAILURE) == 1


def test_who_cannot_be_asked(gateway: Server) -> None:
    with pytest.raises(InputError, match="has no model stackspot-ai-cod; it has "):
        tried(gateway, ["stackspot-ai-cod"])
    for environ, said in (
        ({"GATEWAY_URL": gateway.url}, "There is no key for the gateway: set GATEWAY_KEY or LITELLM_MASTER_KEY"),
        ({"GATEWAY_URL": "http://127.0.0.1:9", "GATEWAY_KEY": "sk-1"}, "The gateway at http://127.0.0.1:9 cannot be"),
    ):
        [line] = run.run(environ, (), lambda _: None).lines()
        assert (line.outcome, line.message.startswith(said)) == ("failure", True), line


def command(gateway: Server, simulator: Simulator, account: Account, *words: str) -> subprocess.Popen[str]:
    environ = {
        **account.for_gateway(simulator.url),
        "LITELLM_MASTER_KEY": gateway.key,
        "GATEWAY_URL": gateway.url,
        "GATEWAY_ENV_FILE": os.devnull,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "gateway", "doctor", "--deep", *words],
        cwd=ROOT, env=clean_environment(environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_the_command_with_the_probe(gateway: Server, simulator: Simulator, account: Account) -> None:
    teach(simulator)
    simulator.rule("It is 18 °C and clear in Paris.", when='"temp_c": 18')
    for question, answer in GOOD_MODEL.items():
        simulator.rule(answer, pattern=rf"(?s){question}[^=]*(=== FORMAT|$)")
    with command(gateway, simulator, account, "--model", MODEL, "--json") as process:
        out, err = process.communicate(timeout=120)
    told = json.loads(out)
    assert (process.returncode, told["ok"]) == (0, True), (out, err)
    asked = REQUESTS + probe.REQUESTS
    assert f"Deep: {asked} requests, one after the other, to {MODEL}: about 0.0" in err
    [found] = told["deep"]
    assert (found["model"], found["passed"], found["of"], found["failed"]) == (MODEL, 31, 31, [])
    checks = {each["check"]: each["message"] for each in told["checks"]}
    assert checks[f"canitoolcall of {MODEL}"] == "27 of 27"
    agents_of_doctor = 3
    assert len(simulator.requests("/chat")) == asked + agents_of_doctor


@thorough
def test_ctrl_c_tells_what_was_found(gateway: Server, simulator: Simulator, account: Account) -> None:
    teach(simulator)
    simulator.faults({"times": 12}, {"first_byte_delay": 60.0}, target="01J0000000000000000000C0DE")
    with command(gateway, simulator, account, "--model", MODEL) as process:
        simulator.wait_for(lambda seen: len(seen) > 12, "/chat", 60)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in err
    assert f"deep {MODEL}: " in out
    assert "stopped by you; what was found so far is told" in out
