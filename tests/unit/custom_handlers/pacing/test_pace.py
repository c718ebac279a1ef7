"""When the next may go: the window, the spreading within it, and what 429s teach."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custom_handlers.pacing.pace import FORGIVEN, LEAST, LONGEST_HOLD, QUIET, WINDOW, Pace
from tests.unit.custom_handlers.pacing.simulation import most_in_a_window


def go(pace: Pace, now: float) -> float:
    """Takes the next slot, and tells when."""
    at = pace.next_slot(now)
    list(pace.expired(at))
    pace.take(at, "key")
    return at


def test_a_burst_goes_at_once_and_the_rest_is_spread() -> None:
    pace = Pace(60, burst=3, window=60)
    assert [go(pace, 0.0) for _ in range(6)] == [0, 0, 0, 1, 2, 3]
    assert go(pace, 100.0) == 100
    assert [go(pace, 100.0) for _ in range(3)] == [100, 100, 101]


@given(
    per_minute=st.integers(1, 40),
    burst=st.integers(1, 60),
    pauses=st.lists(st.sampled_from([0.0, 0.0, 0.1, 1.0, 7.3, 61.0]), min_size=1, max_size=200),
)
def test_never_more_than_the_limit_in_any_window(per_minute: int, burst: int, pauses: list[float]) -> None:
    pace, now, times = Pace(per_minute, burst), 0.0, []
    for pause in pauses:
        now = go(pace, now + pause)
        times.append(now)
    assert most_in_a_window(times, WINDOW - 1e-6) <= per_minute


@given(
    per_minute=st.integers(1, 20),
    burst=st.integers(1, 30),
    pauses=st.lists(st.sampled_from([0.0, 0.4, 9.0]), max_size=60),
    ahead=st.integers(0, 70),
)
def test_it_knows_when_one_will_go_after_others(per_minute: int, burst: int, pauses: list[float], ahead: int) -> None:
    pace, now = Pace(per_minute, burst), 0.0
    for pause in pauses:
        now = go(pace, now + pause)
    told = pace.next_slot(now, ahead)
    for _ in range(ahead + 1):
        now = go(pace, now)
    assert told == pytest.approx(now)


def test_what_was_not_sent_is_given_back() -> None:
    pace = Pace(2, burst=2)
    taken = [go(pace, 0.0), go(pace, 0.0)]
    assert pace.next_slot(0.0) == WINDOW
    assert pace.give_back(taken[0], "key", 0.0)
    assert pace.next_slot(0.0) == 0
    assert not pace.give_back(1.0, "key", 0.0)


def test_one_burst_of_refusals_lowers_the_pace_once() -> None:
    pace = Pace(100, burst=5)
    for _ in range(5):
        pace.take(0.0, "key")
    for _ in range(5):
        pace.refused(0.0, 0.2)
    assert pace.rate(0.2) == 85
    assert pace.next_slot(0.2) == 1.2
    pace.refused(1.2, 1.4)
    assert pace.rate(1.4) == pytest.approx(72.3, abs=0.2)
    assert pace.next_slot(1.4) == 3.4  # the second in a row: twice as long


def test_the_pace_creeps_back_and_is_tried_whole_after_a_quiet_time() -> None:
    pace = Pace(100, burst=5)
    pace.refused(0.0, 0.0)
    rates = [pace.rate(float(second)) for second in range(int(QUIET) + 1)]
    assert rates == sorted(rates)
    assert rates[60] == 90
    assert rates[-1] == 100
    other = Pace(100, burst=5)
    for second in range(10):
        other.refused(second, second)
    assert other.rate(QUIET + 8) < 100
    assert other.rate(QUIET + 9) == 100


def test_however_many_refusals_something_stays() -> None:
    pace, now = Pace(100, burst=5), 0.0
    for _ in range(50):
        now = pace.next_slot(now)
        pace.take(now, "key")
        pace.refused(now, now)
    assert pace.rate(now) >= 100 * LEAST
    assert pace.held_until == now + LONGEST_HOLD
    later = now + FORGIVEN
    pace.refused(later, later)
    assert pace.held_until == later + 1


def test_a_retry_after_is_kept() -> None:
    pace = Pace(100, burst=5)
    pace.refused(0.0, 0.0, retry_after=30.0)
    assert pace.next_slot(0.0) == 30


def test_a_share_of_the_pace_keeps_what_was_learned() -> None:
    pace = Pace(100, burst=5)
    pace.refused(0.0, 0.0)
    pace.resize(50)
    assert pace.rate(0.0) == 42.5
    assert pace.rate(QUIET) == 50
