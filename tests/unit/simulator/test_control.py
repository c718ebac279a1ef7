"""The control calls: journal, faults, scripts, state."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.client import Simulator, SimulatorError
from simulator.control.faults import Faults
from tests.harness import ROOT, Account, running_simulator
from tests.unit.simulator.calling import AGENT, OTHER_AGENT, Caller


def test_everything_is_recorded_in_order(simulator: Simulator, caller: Caller) -> None:
    assert caller.bearer
    caller.http.get(f"{caller.url}/nowhere?a=1&b=2")
    simulator.answer("one two")
    caller.chat("hello", extra=[1])
    token, lost, chat = simulator.requests()
    assert token["body"]["client_id"] == caller.account.client_id
    assert (lost["method"], lost["path"], lost["query"], lost["status"]) == (
        "GET",
        "/nowhere",
        {"a": "1", "b": "2"},
        404,
    )
    assert chat["path"] == f"/v1/agent/{AGENT}/chat"
    assert chat["headers"]["authorization"] == caller.bearer["Authorization"]
    assert chat["body"] == {"user_prompt": "hello", "extra": [1]}
    assert (chat["status"], chat["complete"], chat["client_left"], chat["answer"]) == (200, True, False, "one two")
    assert token["started"] <= token["finished"] <= lost["started"] <= chat["started"]
    simulator.clear()
    assert simulator.requests() == []


def test_a_body_that_is_not_json_is_recorded_as_text(simulator: Simulator, caller: Caller) -> None:
    url = f"{caller.url}/v1/agent/{AGENT}/chat"
    headers = {**caller.bearer, "Content-Type": "application/json"}
    assert caller.http.post(url, content=b'{"user_prompt', headers=headers).status_code == 422
    assert simulator.requests("chat")[0]["body"] == '{"user_prompt'


def test_only_the_newest_are_kept(account: Account, tmp_path: Path) -> None:
    with (
        running_simulator(account, tmp_path / "log", "--keep", "2") as server,
        Simulator(server.url) as simulator,
        httpx.Client() as http,
    ):
        for name in "abc":
            http.get(f"{server.url}/{name}")
        assert [record["path"] for record in simulator.requests()] == ["/b", "/c"]
        assert simulator.state()["requests_dropped"] == 1


def test_faults_are_used_up(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(status=503, times=2)
    assert [caller.chat().status_code for _ in range(4)] == [503, 503, 200, 200]


def test_faults_follow_one_another(simulator: Simulator, caller: Caller) -> None:
    simulator.faults({"status": 503, "times": 1}, {"status": 429, "times": 2}, {"empty_answer": True})
    assert [caller.chat().status_code for _ in range(4)] == [503, 429, 429, 200]
    assert caller.chat().json()["message"] == ""


def test_an_agents_own_faults_come_first(simulator: Simulator, caller: Caller) -> None:
    simulator.faults(status=500)
    simulator.faults(target=OTHER_AGENT, status=502, times=1)
    assert [caller.chat(agent=OTHER_AGENT).status_code for _ in range(2)] == [502, 500]
    assert caller.chat().status_code == 500
    simulator.no_faults()
    assert caller.chat().status_code == 200


@pytest.mark.parametrize(
    ("switches", "target", "sentence"),
    [
        ({"statsu": 500}, None, "There is no fault statsu; there are: .*status"),
        ({"status": "500"}, None, "status cannot be '500': it is an integer or null"),
        ({"status": True}, None, "status cannot be True"),
        ({"html": 1}, None, "html cannot be 1: it is true or false"),
        ({"line_end": "lfcr"}, None, "it is 'crlf' or 'lf' or 'cr'"),
        ({"delta_delay": -1}, None, "cannot be negative"),
        ({"cut_bytes": 0}, None, "at least 1"),
        ({"headers": {"a": 1}}, None, "an object of strings or null"),
        ({"delta_form": "full"}, "token", "delta_form means nothing for token"),
        ({"not_shared": True}, "key", "not_shared means nothing for key"),
        ({"fail_execution": True}, None, "fail_execution means nothing for agents"),
        ({"status": 500}, "01J0000000000000000000N0NE", "Faults are for an agent's id or one of"),
    ],
)
def test_mistaken_faults_are_refused(
    simulator: Simulator, switches: dict[str, Any], target: str | None, sentence: str
) -> None:
    with pytest.raises(SimulatorError, match=sentence):
        simulator.faults(target=target, **switches)


def test_queued_answers_come_in_order_and_once(simulator: Simulator, caller: Caller) -> None:
    simulator.answer("first", "second")
    messages = [caller.chat("third").json()["message"] for _ in range(3)]
    assert messages[:2] == ["first", "second"]
    assert "third" in messages[2]


def test_rules_stay(simulator: Simulator, caller: Caller) -> None:
    simulator.rule("a greeting", when="hello")
    simulator.rule("a number", pattern=r"\b\d{3}\b")
    simulator.rule("never", when="hello", agent=OTHER_AGENT)
    assert [caller.chat("say hello").json()["message"] for _ in range(2)] == ["a greeting", "a greeting"]
    assert caller.chat("is it 123?").json()["message"] == "a number"
    assert caller.chat("is it 1234?").json()["message"] != "a number"
    simulator.answer("queued first")
    assert caller.chat("hello").json()["message"] == "queued first"
    assert simulator.state()["rules"] == 3
    simulator.no_answers()
    assert caller.chat("hello").json()["message"] != "a greeting"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({}, "exactly one of"),
        ({"text": "a", "pieces": []}, "exactly one of"),
        ({"text": 1}, "text is a string"),
        ({"pieces": [1]}, "Every piece"),
        ({"writes": ["a"]}, "list of such lists"),
        ({"text": "a", "usage": {"prompt": 1}}, "usage is an object"),
        ({"text": "a", "usage": {"input": "1"}}, "integers"),
        ({"message": {"tool_calls": [{}]}}, "A tool call has"),
        ({"txet": "a"}, "no txet"),
    ],
)
def test_mistaken_answers_are_refused(simulator: Simulator, answer: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SimulatorError, match=sentence):
        simulator.answer(answer)


def test_mistaken_rules_are_refused(simulator: Simulator) -> None:
    with pytest.raises(SimulatorError, match="not a regular expression"):
        simulator.rule("x", pattern="(")
    with pytest.raises(SimulatorError, match="either when"):
        simulator.rule("x", when="a", pattern="b")
    with pytest.raises(SimulatorError, match="agent is an agent's id"):
        simulator.answer("x", agent="nobody")


def test_the_model_is_deterministic_and_chosen_by_name(simulator: Simulator, caller: Caller) -> None:
    prompt = "<conversation>\n[user]\nwhat is a functor?\n</conversation>\nassistant:"
    answers = {caller.chat(prompt).json()["message"] for _ in range(2)}
    assert len(answers) == 1
    assert "“what is a functor?”" in answers.pop()
    simulator.model("echo")
    assert simulator.state()["model"] == "echo"
    with pytest.raises(SimulatorError, match=r"There is no model oracle; there are: .*echo"):
        simulator.model("oracle")


def test_streams_are_counted(simulator: Simulator, caller: Caller) -> None:
    assert simulator.state()["open_streams"] == 0
    caller.stream()
    state = simulator.state()
    assert (state["open_streams"], state["max_open_streams"]) == (0, 1)
    assert AGENT in state["agents"]


def test_reset_forgets_all_but_tokens(simulator: Simulator, caller: Caller) -> None:
    assert caller.chat().status_code == 200
    simulator.faults(status=500)
    simulator.answer("queued")
    simulator.rule("rule", when="x")
    simulator.reset()
    state = simulator.state()
    counts = ("tokens_issued", "token_requests", "requests", "answers_queued", "rules", "max_open_streams")
    assert {name: state[name] for name in counts} == dict.fromkeys(counts, 0)
    assert caller.chat("x").status_code == 200


def test_strangers_cannot_turn_switches(account: Account, tmp_path: Path) -> None:
    with running_simulator(account, tmp_path / "log", "--control-token", "let me in") as server:
        for token in (None, "let me out"):
            with Simulator(server.url, token) as stranger, pytest.raises(SimulatorError, match="control token"):
                stranger.requests()
            with Simulator(server.url, token) as stranger, pytest.raises(SimulatorError, match="control token"):
                stranger.faults(status=500)
        with Simulator(server.url, "let me in") as friend:
            friend.faults(status=500)
            assert friend.requests() == []


def test_every_switch_is_turned_by_some_test() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    turned = {f.name for f in dataclasses.fields(Faults) if re.search(rf'\b{f.name}=|"{f.name}":', sources)}
    assert {f.name for f in dataclasses.fields(Faults)} - turned == set()
