"""Postgres goes away under load and comes back."""

import time

from tests.developers import ask, hire
from tests.slow.resilience import postgres_server
from tests.slow.resilience.conftest import Team
from tests.slow.resilience.load import load
from tests.waiting import eventually

AWAY_SECONDS = 30  # so that each of LiteLLM's jobs meets it with something to write


def test_known_keys_go_on_unknown_ones_are_refused_and_nothing_is_lost(team: Team) -> None:
    one = team.one.server
    developers = [hire(one), hire(one)]
    newcomer = hire(one)  # has a key that no replica has seen in use
    with load(team.gateways, developers) as running:
        running.go_on()
        postgres_server.stop(team.postgres)
        running.go_on()
        refused = ask(one, newcomer)
        assert refused.status_code == 503, refused.text
        assert refused.json()["error"]["type"] == "no_db_connection"
        time.sleep(AWAY_SECONDS)
        postgres_server.start(team.postgres)
        for gateway in team.gateways:
            eventually(lambda g=gateway: ask(g, newcomer).status_code == 200, "a key can be looked up again", 120)  # type: ignore[misc]
        running.go_on()
    assert running.broken() == []
    # LiteLLM remembers a key for a minute, so on a slow machine the known ones become unknown
    assert [text for text in running.refusals() if not (text.startswith("503") and "no_db_connection" in text)] == []
    for developer in developers:
        answers = running.answers(developer)
        assert team.ledger.wait_until_complete(developer, answers).rows == {answer.id for answer in answers}
