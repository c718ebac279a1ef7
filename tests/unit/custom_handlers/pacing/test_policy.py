"""The policy as a team meets it: shares, waits, 429s, a crowd, and an hour of thousands of agents, all simulated."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handlers.pacing.fair_queue import Request
from custom_handlers.pacing.policy import Policy
from custom_handlers.pacing.quota import NoTurnError, Quota
from tests.sampling import thorough
from tests.unit.custom_handlers.pacing.simulation import (
    Agent,
    Simulation,
    Upstream,
    most_in_a_window,
    quantile,
)

MODEST = [f"modest-{number}" for number in range(6)]
SECONDS = 180


def think(least: float, most: float) -> Callable[[random.Random], float]:
    return lambda rng: rng.uniform(least, most)


def team(agents: int = 8) -> list[Agent]:
    """Six developers with an agent each, and one with several."""
    return [Agent(key, think(1, 2)) for key in MODEST] + [Agent("greedy", think(1, 2)) for _ in range(agents)]


@pytest.mark.parametrize(("burst", "least", "most_wait"), [(1, 0.99, 2.0), (5, 0.97, 4.0)])
def test_a_team_shares_the_account(burst: int, least: float, most_wait: float) -> None:
    simulation = Simulation(Policy(Quota(burst=burst)), team(), Upstream())
    result = simulation.run(SECONDS)
    simulation.check_no_request_was_lost()
    assert sum(result.answers.values()) / SECONDS * 60 >= 97
    assert result.jain() >= least
    assert quantile(result.waited(*MODEST), 0.5) <= 1.5
    assert quantile(result.waited(*MODEST), 0.95) <= most_wait
    assert most_in_a_window(result.sent) <= 100
    assert (simulation.upstream.refused, result.left, sum(result.refusals.values())) == (0, 0, 0)


def test_who_is_alone_has_all_of_the_account() -> None:
    result = Simulation(Policy(Quota()), [Agent("alone", think(0, 0)) for _ in range(20)], Upstream()).run(SECONDS)
    assert sum(result.answers.values()) / SECONDS * 60 >= 97


def test_a_weight_is_a_share_of_the_account() -> None:
    agents = [Agent(key, think(0, 0), weight) for key, weight in (("one", 1.0), ("two", 2.0)) for _ in range(8)]
    result = Simulation(Policy(Quota()), agents, Upstream()).run(600)
    assert result.answers["two"] / result.answers["one"] == pytest.approx(2, abs=0.1)


def test_who_would_wait_too_long_is_told_at_once_and_truly() -> None:
    """A greedy key of twenty agents: the last of them would wait for 80 s, and are told so; others notice nothing."""
    simulation = Simulation(Policy(Quota()), team(20), Upstream())
    result = simulation.run(600)
    assert set(result.refusals) == {"greedy"}
    assert result.left <= 12  # all in the first minute, before it can be known that the others come back
    assert max(result.waited("greedy")) <= 60
    assert 60 < quantile(sorted(result.told), 0.5) < 100
    assert quantile(result.waited(*MODEST), 0.95) <= 4


def test_a_crowd_at_one_moment_is_served_in_order_or_told() -> None:
    policy = Policy(Quota())
    waiting, told = 0, []
    for number in range(300):
        try:
            waiting += policy.ask(0.0, f"key-{number}", 1.0, 60.0).went_at is None
        except NoTurnError as error:
            told.append(error.retry_after)
    now, order = 0.0, []
    while (turn := policy.next_turn(now)) is not None:
        now = turn
        while request := policy.grant(now):
            order.append(request.key)
    assert order == [f"key-{number}" for number in range(5, 5 + waiting)]
    assert now <= 60
    assert len(told) == 300 - waiting - 5
    assert all(60 < seconds < 63 for seconds in told)  # each at the moment of its own asking


def test_a_full_queue_tells_at_once() -> None:
    policy = Policy(Quota(per_minute=6000, burst=1, max_queue=10))
    for _ in range(11):
        policy.ask(0.0, "key", 1.0, 60.0)
    with pytest.raises(NoTurnError) as error:
        policy.ask(0.0, "key", 1.0, 60.0)
    assert error.value.full
    assert error.value.retry_after == pytest.approx(11 * 60.5 / 6000)


@pytest.mark.parametrize(
    ("upstream", "least"),
    [
        (Upstream(others_per_minute=50), 46),
        (Upstream(limit=lambda _: 50), 44),
        (Upstream(limit=lambda now: 40 if 300 <= now < 360 else 100), 80),
    ],
    ids=["half used by others", "half the limit", "cut to 40 for a minute"],
)
def test_it_learns_what_the_account_has_left(upstream: Upstream, least: float) -> None:
    simulation = Simulation(Policy(Quota()), team(), upstream)
    result = simulation.run(1200)
    simulation.check_no_request_was_lost()
    answers = sum(result.answers.values())
    assert answers / 20 >= least
    assert upstream.asked / answers <= 1.05
    assert result.jain() >= 0.97


def test_after_a_quiet_time_the_whole_pace_is_back() -> None:
    upstream = Upstream(limit=lambda now: 40 if now < 120 else 100)
    simulation = Simulation(Policy(Quota()), team(), upstream)
    simulation.run(600)
    before = sum(simulation.result.answers.values())
    simulation.run(720)
    assert (sum(simulation.result.answers.values()) - before) / 2 >= 97


@thorough
def test_an_hour_of_five_thousand_agents() -> None:
    """500 keys of many weights; agents come and go, leave the queue, and the account's limit falls for five minutes."""
    rng, agents = random.Random(5), []
    for key in range(500):
        weight = rng.choice([0.5, 1.0, 1.0, 1.0, 2.0, 4.0])
        for _ in range(rng.choice([1, 2, 5, 12, 30])):
            begins, pause = rng.uniform(0, 1800), rng.choice([5, 60, 300])
            agents.append(
                Agent(
                    f"key-{key}",
                    lambda rng, pause=pause: rng.expovariate(1 / pause),  # type: ignore[misc]
                    weight,
                    begins,
                    begins + rng.uniform(60, 3600),
                    rng.choice([float("inf"), 20.0]),
                )
            )
    assert len(agents) >= 4900
    upstream = Upstream(limit=lambda now: 60 if 1200 <= now < 1500 else 100)
    simulation = Simulation(Policy(Quota()), agents, upstream)
    result = simulation.run(3600)
    simulation.check_no_request_was_lost()
    assert sum(result.answers.values()) / 60 >= 90
    assert most_in_a_window(result.sent) <= 100
    assert max(result.waited()) <= 60


step = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from("abc"), st.sampled_from([1.0, 2.0])),
    st.tuples(st.just("pass"), st.sampled_from([0.0, 0.3, 2.0, 30.0, 70.0])),
    st.tuples(st.just("leave"), st.integers(0, 50)),
    st.tuples(st.just("again"), st.integers(0, 50)),
)


@given(per_minute=st.integers(1, 12), burst=st.integers(1, 6), steps=st.lists(step, max_size=100))
def test_any_order_of_events(per_minute: int, burst: int, steps: list[tuple[Any, ...]]) -> None:
    """Never more than the limit in a window; nobody waits while a slot is free; one outcome for each request."""
    policy, now = Policy(Quota(per_minute, burst, max_wait=1e9, max_queue=10**6)), 0.0
    waiting: dict[int, Request] = {}
    went: dict[int, Request] = {}
    times: list[float] = []

    def let_go() -> None:
        while request := policy.grant(now):
            assert waiting.pop(request.number) is request
            assert request.number not in went
            went[request.number] = request
            times.append(now)

    for name, *arguments in steps:
        if name == "ask":
            request = policy.ask(now, arguments[0], arguments[1], 1e9)
            assert request.number not in waiting | went
            (waiting if request.went_at is None else went)[request.number] = request
            if request.went_at is not None:
                times.append(now)
        elif name == "pass":
            end = now + arguments[0]
            while (turn := policy.next_turn(now)) is not None and turn <= end:
                if now < (early := (now + turn) / 2) < turn:
                    assert policy.grant(early) is None
                now = max(now, turn)
                let_go()
            now = end
        elif name == "leave" and waiting:
            policy.leave(now, waiting.pop(sorted(waiting)[arguments[0] % len(waiting)]))
        elif name == "leave" and went:
            request = went.pop(sorted(went)[arguments[0] % len(went)])
            if request.went_at is not None and now - request.went_at < 60:
                times.remove(request.went_at)
            policy.leave(now, request)
        elif name == "again" and went:
            request = went.pop(sorted(went)[arguments[0] % len(went)])
            waiting[request.number] = policy.again(now, request, 1e9)
        let_go()
        turn = policy.next_turn(now)
        assert (turn is not None) == bool(waiting)
        assert turn is None or turn > now
    assert len(policy.queue) == len(waiting)
    assert most_in_a_window(sorted(times)) <= per_minute
