"""More than one account, own agents, and another provider: the blocks of docs/accounts.md, as they stand there."""

import secrets
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from custom_handlers.core.models import PRICE_PER_TOKEN
from simulator.client import Simulator
from tests.developers import Developer, hire, spend
from tests.gateway.administration.observing import Log
from tests.gateway.blocks import OTHER_ACCOUNT, OWN_AGENT, TWO_ACCOUNTS, with_blocks
from tests.gateway.calling import PATHS, ROUTES, Reply, read, request_body
from tests.harness import AGENTS, WITHOUT_TLS, Account, Server, running_gateway
from tests.sampling import every, first, paired
from tests.waiting import eventually

CHAT = "stackspot-ai-chat"
FIRST_AGENT, SECOND_AGENT = AGENTS[CHAT], "01J00000000000000000TEAMB0"
REVIEWER, REVIEWER_AGENT = "reviewer", "01J0000000000000000REV1EW0"
TEAM_B = "team-b-chat"
# Streams on /v1/completions are the one kind that LiteLLM's router has out of its hands too early.
LONG = "word " * 100  # the learned limit of an agent is above what the other tests ask
REPLACED = [(route, stream) for route in ROUTES for stream in (False, True) if (route, stream) != ("completions", True)]


@pytest.fixture(scope="module")
def second(simulator_server: Server) -> Account:
    """Another account of the simulator, with an agent that is its alone."""
    account = Account("department-b", f"client-{secrets.token_hex(4)}", secrets.token_urlsafe(24), "")
    with Simulator(simulator_server.url) as simulator:
        simulator.add_account(account.realm, account.client_id, account.client_secret)
        simulator.add_agent(SECOND_AGENT, client_id=account.client_id)
        simulator.add_agent(REVIEWER_AGENT)
    return account


def variables_of(account: Account) -> dict[str, str]:
    return {
        "STACKSPOT_TEAM_B_REALM": account.realm,
        "STACKSPOT_TEAM_B_CLIENT_ID": account.client_id,
        "STACKSPOT_TEAM_B_CLIENT_SECRET": account.client_secret,
        "STACKSPOT_TEAM_B_AGENT_ID": SECOND_AGENT,
    }


@pytest.fixture(scope="module")
def two_accounts_server(
    account: Account,
    second: Account,
    simulator_server: Server,
    database_variables: dict[str, str],
    logs: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    config = tmp_path_factory.mktemp("two-accounts") / "litellm_config.yaml"
    config.write_text(with_blocks([OWN_AGENT, OTHER_ACCOUNT, TWO_ACCOUNTS]))
    environ = {**account.for_gateway(simulator_server.url), **database_variables, **variables_of(second)}
    environ |= {"LITELLM_SALT_KEY": secrets.token_urlsafe(24), "STACKSPOT_TEAM_B_REQUESTS_PER_MINUTE": "1000"}
    environ |= {"STACKSPOT_TEAM_B_BURST": "1000", "STACKSPOT_TEAM_B_MAX_WAIT_SECONDS": "1"}
    environ |= {"STACKSPOT_ACCESS_LOG": "true"}
    with running_gateway(environ, logs / "two-accounts.log", config=config) as server:
        yield server


@pytest.fixture
def two_accounts(two_accounts_server: Server, simulator: Simulator) -> Server:
    """Both accounts answer: an earlier test may have cut one off, which is remembered for some seconds."""
    master = Developer("master", two_accounts_server.key)
    eventually(lambda: ask(two_accounts_server, master, model=TEAM_B).status == 200, "the account answers")
    simulator.clear()
    return two_accounts_server


def ask(
    server: Server, developer: Developer, route: str = "chat", model: str = CHAT, prompt: str = "Hi", **fields: Any
) -> Reply:
    headers = {"Authorization": f"Bearer {developer.key}", **fields.pop("headers", {})}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60, trust_env=False, verify=WITHOUT_TLS) as client:
        return read(route, client.post(PATHS[route], json=request_body(route, model, prompt) | fields))


def lines_of(developer: Developer, log: Log) -> list[dict[str, Any]]:
    """Those of the access log."""
    found = [record["request"] for record in log.records() if record.get("component") == "stackspot_access"]
    return [line for line in found if line["key"] == f"{developer.name}-laptop"]


def answered(simulator: Simulator) -> dict[str, int]:
    """How many requests each agent answered."""
    done = [record["path"].split("/")[3] for record in simulator.requests("/v1/agent/") if record["status"] == 200]
    return {agent: done.count(agent) for agent in done}


def test_an_agent_of_ones_own_is_a_model(two_accounts: Server, simulator: Simulator) -> None:
    developer = hire(two_accounts, models=[REVIEWER])
    simulator.answer({"text": "Looks good.", "usage": {"input": 1000, "output": 500}}, agent=REVIEWER_AGENT)
    reply = ask(two_accounts, developer, model=REVIEWER)
    assert (reply.text, reply.model, answered(simulator)) == ("Looks good.", REVIEWER, {REVIEWER_AGENT: 1})
    assert ask(two_accounts, developer).status == 403, "the key's list of models counts for both"
    stranger = hire(two_accounts, models=[CHAT, "stackspot"])
    assert ask(two_accounts, stranger, model=REVIEWER).status == 403
    with httpx.Client(base_url=two_accounts.url, timeout=60, trust_env=False, verify=WITHOUT_TLS) as client:
        listed = client.get("/v1/models", headers={"Authorization": f"Bearer {developer.key}"}).json()
    assert [model["id"] for model in listed["data"]] == [REVIEWER]
    eventually(lambda: spend(two_accounts, developer) == pytest.approx(0.0015), "the spend")


@pytest.mark.parametrize(("route", "stream"), paired(ROUTES, [False, True]))
def test_a_model_of_another_account(two_accounts: Server, simulator: Simulator, route: str, stream: bool) -> None:
    reply = ask(two_accounts, hire(two_accounts), route, TEAM_B, stream=stream)
    assert (reply.status, reply.failure, answered(simulator)) == (200, None, {SECOND_AGENT: 1})


def test_which_credentials_are_refused_is_told_with_their_own_names(
    two_accounts: Server, simulator: Simulator, second: Account
) -> None:
    simulator.cut_off(second.client_id)
    failure = ask(two_accounts, hire(two_accounts), model=TEAM_B).failure
    assert failure
    assert "STACKSPOT_TEAM_B_CLIENT_SECRET" in failure.message
    assert "STACKSPOT_CLIENT_SECRET" not in failure.message
    assert second.client_secret not in two_accounts.output()


def test_requests_are_spread_over_both(two_accounts: Server, simulator: Simulator) -> None:
    developer = hire(two_accounts, rpm_limit=1000)
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda _: ask(two_accounts, developer), range(40)))
    assert {reply.status for reply in replies} == {200}
    found = answered(simulator)
    assert (set(found), sum(found.values())) == ({FIRST_AGENT, SECOND_AGENT}, 40)
    assert min(found.values()) > 5  # of 40 by chance: once in 700,000 runs there are fewer


def test_an_account_that_is_cut_off_is_replaced(two_accounts: Server, simulator: Simulator, second: Account) -> None:
    simulator.cut_off(second.client_id)
    simulator.rule({"text": "Hello.", "usage": {"input": 1000, "output": 500}}, pattern=".")
    developer = hire(two_accounts, rpm_limit=1000)
    replies = [ask(two_accounts, developer, route, stream=stream) for route, stream in REPLACED for _ in range(6)]
    assert [reply for reply in replies if reply.failure] == []
    assert answered(simulator) == {FIRST_AGENT: len(replies)}, "no request is answered twice"
    payer = hire(two_accounts, rpm_limit=1000)
    assert [ask(two_accounts, payer).status for _ in range(6)] == [200] * 6
    eventually(lambda: spend(two_accounts, payer) == pytest.approx(6 * 0.0015), "each answer is paid for, once")


def test_a_key_pays_for_the_try_that_answered(two_accounts: Server, simulator: Simulator) -> None:
    """What the other try has cost is in the access log (and in the metrics, by its outcome), and on nobody's bill."""
    simulator.faults(target=SECOND_AGENT, empty_answer=True, extra_input=5000)
    simulator.rule({"text": "Hello.", "usage": {"input": 1000, "output": 500}}, agent=FIRST_AGENT, pattern=".")
    log, payer = Log(two_accounts), hire(two_accounts, rpm_limit=1000)
    lost = [after_a_failed_try(two_accounts, simulator, payer, route, stream) for route, stream in REPLACED]
    assert min(lost) > 5000
    log.wait(lambda log: [line["lost"] for line in lines_of(payer, log) if "lost" in line] == lost)
    answers = lines_of(payer, log)
    assert {(line["outcome"], line["input"], line["output"]) for line in answers} == {("answered", 1000, 500)}
    paid = pytest.approx(len(answers) * 0.0015)
    eventually(lambda: spend(two_accounts, payer) == paid, "the answers, each once, and nothing else")


def after_a_failed_try(server: Server, simulator: Simulator, payer: Developer, route: str, stream: bool) -> int:
    """Asks until a request has met the account that fails, by chance; the tokens of that try."""
    for _ in range(40):
        simulator.clear()
        assert ask(server, payer, route, stream=stream).failure is None
        if len(asked := simulator.requests("/v1/agent/")) == 2:
            return sum(asked[0]["usage"].values())
    raise AssertionError("the account that fails was never asked")


def test_a_call_that_nobody_answers_costs_its_last_try(two_accounts: Server, simulator: Simulator) -> None:
    for agent, tokens in ((FIRST_AGENT, 3000), (SECOND_AGENT, 5000)):
        simulator.faults(target=agent, empty_answer=True, extra_input=tokens)
    log, payer, tries = Log(two_accounts), hire(two_accounts, rpm_limit=1000), []
    for route, stream in REPLACED:
        simulator.clear()
        assert ask(two_accounts, payer, route, stream=stream).failure
        tries.append([sum(each["usage"].values()) for each in simulator.requests("/v1/agent/")])
    log.wait(lambda log: [[line["lost"], line["input"] + line["output"]] for line in lines_of(payer, log)] == tries)
    paid = pytest.approx(sum(last for _, last in tries) * PRICE_PER_TOKEN)
    eventually(lambda: spend(two_accounts, payer) == paid, "the last try of each call")


@pytest.mark.parametrize(
    "faults",
    every(2, [{"status": 403}, {"status": 429}, {"disconnect": "reset"}, {"empty_answer": True}]),
    ids=str,
)
def test_what_goes_to_the_other_account(two_accounts: Server, simulator: Simulator, faults: dict[str, Any]) -> None:
    simulator.faults(target=SECOND_AGENT, **faults)
    developer = hire(two_accounts, rpm_limit=1000)
    with ThreadPoolExecutor(14) as threads:
        calls = [threads.submit(ask, two_accounts, developer, route, stream=stream) for route, stream in 2 * REPLACED]
    assert [reply for call in calls if (reply := call.result()).failure] == []


@pytest.mark.parametrize("faults", [{"status": 400}, {"token_limit": 90}], ids=str)
def test_what_does_not(two_accounts: Server, simulator: Simulator, faults: dict[str, Any]) -> None:
    simulator.faults(**faults)
    for route, stream in REPLACED:
        simulator.clear()
        assert ask(two_accounts, hire(two_accounts), route, stream=stream, prompt=LONG).failure
        assert len(simulator.requests("/v1/agent/")) <= 1


def test_a_text_that_has_begun_is_nobody_elses(two_accounts: Server, simulator: Simulator) -> None:
    simulator.faults(break_after=2)
    for route in ROUTES:
        simulator.clear()
        reply = ask(two_accounts, hire(two_accounts), route, stream=True)
        assert reply.failure
        assert len(simulator.requests("/v1/agent/")) == 1


@pytest.mark.parametrize("route", first(["chat", "messages", "responses"]))
def test_a_conversation_stays_where_it_began(two_accounts: Server, simulator: Simulator, route: str) -> None:
    developer = hire(two_accounts, rpm_limit=1000)
    for header, agent in (
        ("x-litellm-session-id", "curl/8"),
        ("x-claude-code-session-id", "claude-cli/2"),
        ("session_id", "codex_cli_rs/1"),
    ):
        simulator.clear()
        session = {header: str(uuid.uuid4()), "user-agent": agent}
        replies = [ask(two_accounts, developer, route, headers=session) for _ in range(12)]
        assert {reply.status for reply in replies} == {200}
        assert list(answered(simulator).values()) == [12]


@pytest.mark.parametrize("route", every(2, ROUTES))
def test_no_request_chooses_a_deployment(two_accounts: Server, simulator: Simulator, route: str) -> None:
    developer = hire(two_accounts)
    deployment = "stackspot-ai-chat-of-team-b"
    assert ask(two_accounts, developer, route, deployment).status == 400
    assert ask(two_accounts, developer, route, fallbacks=[deployment]).status == 400
    for fields in (
        {"stackspot_account": "team-b"},
        {"model_info": {"stackspot_account": "team-b"}},
        {"metadata": {"stackspot_account": "team-b", "model_info": {"stackspot_account": "team-b"}}},
    ):
        assert ask(two_accounts, developer, route, "stackspot-code", **fields).status == 200
    assert SECOND_AGENT not in answered(simulator)


def test_an_administrator_sees_every_account_and_no_secret(two_accounts: Server, second: Account) -> None:
    ask(two_accounts, hire(two_accounts), model=TEAM_B)
    headers = {"Authorization": f"Bearer {two_accounts.key}"}
    with httpx.Client(
        base_url=two_accounts.url, headers=headers, timeout=60, trust_env=False, verify=WITHOUT_TLS
    ) as client:
        pace = client.get("/stackspot/pace").json()
        info = client.get("/model/info").text
    assert pace["paced"] is False
    assert pace["accounts"]["team-b"]["requests_per_minute"] == 1000
    assert pace["accounts"]["team-b"]["last_minute"] >= 1
    assert '"stackspot_account":"team-b"' in info
    assert not [secret for secret in (second.client_secret, second.client_id) if secret in info]
