"""Whose turn it is: shares by weight, order within a key, departures, and how much a decision costs."""

from collections import Counter
from itertools import combinations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from custom_handlers.pacing.fair_queue import FairQueue, Request

KEYS = {"a": 1.0, "b": 1.0, "c": 0.5, "d": 4.0}


def request(key: str, number: int) -> Request:
    return Request(key, KEYS[key], number, 0.0)


def test_each_key_has_its_turn_whatever_it_asks_for() -> None:
    queue = FairQueue()
    for number in range(8):
        queue.join(request("a", number))
    queue.join(request("b", 100))
    assert [found.key for _ in range(3) if (found := queue.pop())] == ["a", "b", "a"]


def test_a_weight_is_a_share() -> None:
    queue = FairQueue()
    for number in range(200):
        for place, key in enumerate(KEYS):
            queue.join(request(key, number * 4 + place))
    served = Counter(found.key for _ in range(130) if (found := queue.pop()))
    assert served == {"a": 20, "b": 20, "c": 10, "d": 80}


def test_a_rest_earns_nothing_and_costs_nothing() -> None:
    queue = FairQueue()
    for number in range(50):  # `a` alone has all that it wants
        queue.passed(request("a", number))
    for number in range(4):
        queue.join(request("a", 100 + number))
        queue.join(request("b", 200 + number))
    assert "".join(found.key for _ in range(8) if (found := queue.pop())) in ("babababa", "abababab")


def test_a_refused_request_is_next_again() -> None:
    queue = FairQueue()
    for number, key in enumerate("aabbaabb"):
        queue.join(request(key, number))
    first, second = queue.pop(), queue.pop()
    assert first
    assert second
    queue.join(first, first=True)
    assert queue.pop() is first
    assert (second.key, getattr(queue.pop(), "key", None)) == ("b", "a")


step = st.one_of(
    st.tuples(st.just("join"), st.sampled_from(sorted(KEYS))),
    st.tuples(st.just("pop")),
    st.tuples(st.just("leave"), st.integers(0, 50)),
    st.tuples(st.just("refused"), st.integers(0, 50)),
)


@given(st.lists(step, max_size=120))
def test_nobody_is_lost_or_served_twice_and_nobody_starves(steps: list[tuple[Any, ...]]) -> None:
    queue, number = FairQueue(), 0
    waiting: list[Request] = []
    served: list[Request] = []
    # What each key has had since both of a pair have waited without a break.
    since: dict[tuple[str, str], Counter[str]] = {}
    for name, *arguments in steps:
        if name == "join":
            number += 1
            waiting.append(request(arguments[0], number))
            queue.join(waiting[-1])
        elif name == "pop":
            found = queue.pop()
            assert (found is None) == (not waiting)
            if found:
                assert found is min((other for other in waiting if other.key == found.key), key=lambda it: it.number)
                waiting.remove(found)
                served.append(found)
                for pair in since.values():
                    pair[found.key] += 1
        elif name == "leave" and waiting:
            gone = waiting.pop(arguments[0] % len(waiting))
            assert queue.leave(gone)
            assert not queue.leave(gone)
        elif name == "refused" and served:
            again = served.pop(arguments[0] % len(served))
            waiting.append(again)
            queue.join(again, first=True)
            since.clear()  # it has its turn back, which is more than a share
        backlogged = {other.key for other in waiting}
        since = {pair: since.get(pair, Counter()) for pair in combinations(sorted(backlogged), 2)}
        for (one, other), counts in since.items():
            shares = counts[one] / KEYS[one] - counts[other] / KEYS[other]
            assert abs(shares) <= 1 / KEYS[one] + 1 / KEYS[other] + 1e-9
        assert len(queue) == len(waiting)
        assert sum(size for size, _ in queue.shares().values()) == len(waiting)
    assert {queue.pop() for _ in range(len(waiting))} == set(waiting)
    assert queue.pop() is None


class Counted(tuple[float, float, str]):
    """A place in the order that counts how often it is compared."""

    compared = 0

    def __lt__(self, other: object) -> bool:
        Counted.compared += 1
        return tuple.__lt__(self, other)  # type: ignore[operator]

    def __gt__(self, other: object) -> bool:
        Counted.compared += 1
        return tuple.__gt__(self, other)  # type: ignore[operator]


def test_a_decision_costs_a_logarithm_of_comparisons() -> None:
    """Thirty-two times as many keys cost five comparisons more in each search."""
    costs = {}
    for keys in (64, 2048):
        queue = FairQueue()
        for number in range(keys):
            queue.join(Request(f"k{number}", 1.0, number, 0.0))
        queue._order[:] = [Counted(place) for place in queue._order]
        Counted.compared = 0
        for number in range(keys, keys + 32):
            queue.join(Request(f"k{number}", 1.0, number, 0.0))
            queue.pop()
            queue.places_before("new", 1.0, 100, 10)
        costs[keys] = Counted.compared / 32
    assert 10 < costs[64] < costs[2048] <= costs[64] + 4 * 5 + 4


def test_what_has_left_is_not_kept() -> None:
    queue = FairQueue()
    queue.join(request("a", 0))
    for number in range(1, 5000):
        waiting = request("a", number)
        queue.join(waiting)
        queue.leave(waiting)
    assert len(queue._lines["a"].requests) < 50
    queue.pop()
    queue.expired("a")
    assert queue.shares() == {}
