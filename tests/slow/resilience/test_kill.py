"""A gateway is killed under load and started again."""

from itertools import accumulate

from tests.developers import ask, hire
from tests.slow.resilience.conftest import Team
from tests.slow.resilience.ledger import Account
from tests.slow.resilience.load import Answer, load
from tests.waiting import eventually


def test_keys_stay_and_only_the_last_calls_before_the_kill_are_lost(team: Team) -> None:
    one, other = team.gateways
    developers = [hire(one), hire(one)]
    with load([one], developers) as before:
        before.go_on()
    for developer in developers:
        team.ledger.wait_until_complete(developer, before.answers(developer))

    with load([one], developers) as under_the_kill, load([other], [hire(other)]) as at_the_other:
        under_the_kill.go_on(20)
        team.one.kill()
        at_the_other.go_on()
    assert at_the_other.refusals() + at_the_other.broken() + under_the_kill.refusals() == []
    team.one.start()

    for developer in developers:
        answers = before.answers(developer) + under_the_kill.answers(developer)
        account = team.ledger.of(developer)
        assert fewest_kept(account, answers) >= len(before.answers(developer))

        response = ask(team.one.server, developer)
        assert response.status_code == 200, response.text
        tokens, rows = response.json()["usage"]["total_tokens"], account.rows | {response.json()["id"]}
        counted_on = Account(account.budget + tokens, account.daily + tokens, rows)
        eventually(lambda d=developer, c=counted_on: team.ledger.of(d) == c, "the next call is added")  # type: ignore[misc]


def fewest_kept(account: Account, answers: list[Answer]) -> int:
    """How many of `answers` the account holds at least, seen that in each place it is the first so many of them."""
    sums = [0, *accumulate(answer.tokens for answer in answers)]
    rows = len(account.rows)
    assert account.rows == {answer.id for answer in answers[:rows]}
    assert account.budget in sums
    assert account.daily in sums
    return min(rows, sums.index(account.budget), sums.index(account.daily))
