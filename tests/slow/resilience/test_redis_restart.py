"""Redis is killed under load, or has no room, and comes back."""

import time

from tests.developers import Developer, ask, hire, manage
from tests.slow.resilience.conftest import Team
from tests.slow.resilience.load import Load, load
from tests.waiting import eventually

AWAY_SECONDS = 30


def test_nobody_notices_nothing_is_lost_and_limits_are_shared_again(team: Team) -> None:
    developers = [hire(team.one.server), hire(team.one.server)]
    with load(team.gateways, developers) as running:
        running.go_on()
        team.redis.kill()
        time.sleep(AWAY_SECONDS)
        running.go_on()
        team.redis.start()
        running.go_on()
    assert_unharmed(team, running, developers)
    eventually(lambda: block_reaches_the_other(team), "a blocked key is refused by the other replica", 120, pause=2)


def test_one_that_takes_no_writes_is_as_if_it_were_away(team: Team) -> None:
    developers = [hire(team.one.server), hire(team.one.server)]
    with load(team.gateways, developers) as running:
        running.go_on()
        with team.redis.full():
            running.go_on(40)
        running.go_on()
    assert_unharmed(team, running, developers)


def assert_unharmed(team: Team, running: Load, developers: list[Developer]) -> None:
    """Each question was answered and is recorded once, and limits are shared."""
    assert running.refusals() + running.broken() == []
    eventually(lambda: limit_is_shared(team), "a rate limit counts the calls of both replicas", 120, pause=2)
    for developer in developers:
        answers = running.answers(developer)
        assert team.ledger.wait_until_complete(developer, answers).rows == {answer.id for answer in answers}


def limit_is_shared(team: Team) -> bool:
    developer = hire(team.one.server, rpm_limit=2)
    return [ask(gateway, developer).status_code for gateway in team.gateways * 2] == [200, 200, 429, 429]


def block_reaches_the_other(team: Team) -> bool:
    developer = hire(team.one.server)
    assert [ask(gateway, developer).status_code for gateway in team.gateways] == [200, 200]
    manage(team.one.server, "/key/block", key=developer.key).raise_for_status()
    return ask(team.other.server, developer).status_code == 401
