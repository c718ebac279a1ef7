"""A gateway is told to stop under load: what `docker compose restart` and `make upgrade` do."""

from tests.developers import hire
from tests.slow.resilience.conftest import Team
from tests.slow.resilience.load import load


def test_all_that_was_answered_is_recorded(team: Team) -> None:
    developers = [hire(team.one.server), hire(team.one.server)]
    with load([team.one.server], developers) as running:
        running.go_on(10)
        team.one.stop()
    assert running.refusals() == []
    for developer in developers:
        answers = running.answers(developer)
        assert team.ledger.wait_until_complete(developer, answers).rows >= {answer.id for answer in answers}
