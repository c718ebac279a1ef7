"""What replicas (and a gateway's workers, which are the same to each other) know of one another through Redis."""

import openai

from simulator.client import Simulator
from tests.developers import Developer, ask, hire, manage
from tests.harness import Server
from tests.slow.resilience.conftest import Team
from tests.waiting import eventually

BUDGET_TOKENS = 200  # the default prices make a token a millionth of a dollar


def test_a_rate_limit_counts_the_calls_of_both(team: Team) -> None:
    developer = hire(team.one.server, rpm_limit=4)
    assert [ask(gateway, developer).status_code for gateway in team.gateways * 3] == [200] * 4 + [429] * 2


def test_a_budget_used_up_at_one_is_used_up_at_the_other(team: Team) -> None:
    one, other = team.gateways
    developer = hire(one, max_budget=BUDGET_TOKENS / 1_000_000)
    first = ask(other, developer)  # from now on the other has the key in its memory
    spend_everything(one, developer, spent=first.json()["usage"]["total_tokens"])
    refused = ask(other, developer)
    assert refused.status_code >= 400
    assert refused.json()["error"]["type"] == "budget_exceeded"


def spend_everything(gateway: Server, developer: Developer, spent: int) -> None:
    """Ask until the answers' own tokens are the budget.

    A refusal does not say so: LiteLLM reserves what is left for a call, and gives back what it did not cost after its
    answer, so the next call may be refused too early.
    """

    def used_up() -> bool:
        nonlocal spent
        answer = ask(gateway, developer)
        spent += answer.json()["usage"]["total_tokens"] if answer.status_code == 200 else 0
        return spent >= BUDGET_TOKENS

    eventually(used_up, "the budget is used up", seconds=30)


def test_a_blocked_key_is_refused_by_both_and_stays_so_when_deleted(team: Team) -> None:
    one, other = team.gateways
    developer = hire(one)
    assert [ask(gateway, developer).status_code for gateway in team.gateways] == [200, 200]  # both have it in memory
    manage(one, "/key/block", key=developer.key).raise_for_status()
    assert ask(one, developer).status_code == 401
    # the message travels through Redis; without it the other would accept the key for a minute
    eventually(lambda: ask(other, developer).status_code == 401, "the other replica refuses the key", seconds=15)
    manage(one, "/key/delete", keys=[developer.key]).raise_for_status()
    assert [ask(gateway, developer).status_code for gateway in team.gateways] == [401, 401]


def test_a_raised_limit_is_known_to_both(team: Team) -> None:
    one, other = team.gateways
    developer = hire(one, rpm_limit=1)
    assert [ask(gateway, developer).status_code for gateway in team.gateways] == [200, 429]
    manage(one, "/key/update", key=developer.key, rpm_limit=1000).raise_for_status()
    eventually(lambda: ask(other, developer).status_code == 200, "the other replica knows the new limit", seconds=15)


def test_an_answer_of_one_is_continued_at_the_other(team: Team, simulator: Simulator) -> None:
    developer = hire(team.one.server)
    one, other = (openai.OpenAI(base_url=f"{gateway.url}/v1", api_key=developer.key) for gateway in team.gateways)
    first = one.responses.create(model="stackspot", input="My name is Ada.")
    second = other.responses.create(model="stackspot", input="What is my name?", previous_response_id=first.id)
    assert "My name is Ada." in simulator.requests("/v1/agent/")[-1]["body"]["user_prompt"]
    assert one.responses.retrieve(second.id).output_text == second.output_text
