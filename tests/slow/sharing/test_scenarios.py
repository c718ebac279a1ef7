"""A team shares its account while things go wrong, as `python -m bench.sharing --scenario` shows it at full length.

In each: no request without an outcome, none answered twice, and spend equal to what StackSpot counted, which is what
bench/sharing/audit.py finds mistakes in.
"""

import shutil
from collections import Counter
from collections.abc import Iterator

import pytest

from bench.sharing.crew import Outcome
from bench.sharing.scenarios import LIMITED_RPM, NEWCOMERS, SCENARIOS, Run, share
from bench.sharing.team import Pacing, Place, Scale, place

# A third of the answers' length at three times the pace. StackSpot counts in a fifth of its window, so that a change of
# its limit is felt within the time.
QUICK = Scale(per_minute=300, window=12, seconds=24, answer_seconds=0.6, think_seconds=(0.3, 0.6), max_wait=20)


@pytest.fixture(scope="module")
def here() -> Iterator[Place]:
    if not shutil.which("redis-server"):
        pytest.skip("needs redis-server: apt-get install redis-server, or brew install redis")
    with place() as found:
        yield found


def of(run: Run, name: str) -> list[Outcome]:
    return [outcome for outcome in run.crew.outcomes if outcome.developer.name.startswith(name)]


def with_no_good_end(run: Run) -> list[str]:
    return [outcome.error for outcome in run.crew.outcomes if not outcome.fine]


@pytest.mark.parametrize("pacing", [Pacing(300), Pacing(300, replicas=2, redis=True)], ids=["one", "replicas"])
def test_a_team_at_work_sees_no_error(here: Place, pacing: Pacing) -> None:
    run = share(here, QUICK, pacing)
    assert run.audit.mistakes == []
    assert with_no_good_end(run) == []
    assert all(run.figures.shares.values())
    assert {outcome.gateway for outcome in run.crew.outcomes} == set(range(pacing.replicas))


def test_half_of_the_account_is_used_up_by_somebody_else(here: Place) -> None:
    run = SCENARIOS["others"](here, QUICK)
    assert run.audit.mistakes == []
    assert run.audit.refused > 0, "StackSpot refused nothing: there was nothing to learn"
    assert with_no_good_end(run) == []
    assert all(run.figures.shares.values())


def test_a_replica_is_killed_in_the_middle(here: Place) -> None:
    run = SCENARIOS["killed"](here, QUICK)
    assert run.audit.mistakes == []
    ended_badly = [outcome for outcome in run.crew.outcomes if not outcome.fine]
    assert {(outcome.gateway, outcome.status) for outcome in ended_badly} == {(1, None)}
    last = max(outcome.ended for outcome in ended_badly)
    assert [outcome for outcome in run.crew.outcomes if outcome.answered and outcome.started > last]


def test_redis_is_stopped_and_comes_back(here: Place) -> None:
    run = SCENARIOS["redis"](here, QUICK)
    assert run.audit.mistakes == []
    assert with_no_good_end(run) == []
    assert all(run.figures.shares.values())


def test_stackspot_allows_less_for_a_while(here: Place) -> None:
    run = SCENARIOS["cut"](here, QUICK)
    assert run.audit.mistakes == []
    assert run.audit.refused > 0
    assert with_no_good_end(run) == []


def test_300_keys_come_at_the_same_second(here: Place) -> None:
    run = SCENARIOS["newcomers"](here, QUICK)
    assert run.audit.mistakes == []
    assert [outcome.error for outcome in run.crew.outcomes if not (outcome.fine or outcome.unknown_key)] == []
    answers = Counter(outcome.developer.name for outcome in run.crew.outcomes if outcome.answered)
    assert len(answers) == NEWCOMERS, "who comes back when he was told to is answered in the end"
    assert set(answers.values()) == {1}


def test_a_key_at_its_own_limit_is_refused_before_stackspot_and_costs_the_others_nothing(here: Place) -> None:
    run = SCENARIOS["limited"](here, QUICK)
    assert run.audit.mistakes == []
    refused = [outcome for outcome in of(run, "limited") if not outcome.answered]
    assert refused
    assert {outcome.status for outcome in refused} == {429}
    assert not {outcome.tag for outcome in refused} & run.audit.tags
    answered = [outcome for outcome in of(run, "limited") if outcome.answered]
    assert 0 < len(answered) <= 2 * LIMITED_RPM, "LiteLLM counts by the minute, and the run may touch two"
    assert [outcome.error for outcome in run.crew.outcomes if outcome not in refused and not outcome.answered] == []
