"""The script against the policy that it repeats: the same steps at the same times have the same outcomes."""

import json
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_handlers.pacing.fair_queue import FairQueue, Request
from custom_handlers.pacing.pace import Pace
from custom_handlers.pacing.quota import Quota
from custom_handlers.pacing.script import SCRIPT, settings_for

# Numbers without rounding errors in binary: both sides compare times for equality.
WINDOW = 64.0
QUOTA = Quota(per_minute=8, burst=3, max_queue=12)
CLOCK = "local now = redis_time()"

step = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from("abc"), st.sampled_from([0.5, 1.0, 2.0]), st.sampled_from([16.0, 512.0])),
    st.tuples(st.just("pass"), st.sampled_from([0.0, 0.5, 4.0, 16.0, 64.0])),
    st.tuples(st.just("start")),
    st.tuples(st.just("leave"), st.integers(0, 20)),
    st.tuples(st.just("unsent"), st.integers(0, 20)),
    st.tuples(st.just("again"), st.integers(0, 20)),
)


class Promising:
    """pace.py and fair_queue.py, with the next slot promised ahead, as the script does."""

    def __init__(self) -> None:
        self.pace, self.queue = Pace(QUOTA.per_minute, QUOTA.burst, WINDOW), FairQueue()
        self.next: Request | None = None
        self.next_at = 0.0
        self.number = 0

    def expire(self, now: float) -> None:
        for key in self.pace.expired(now):
            self.queue.expired(key)

    def ask(self, now: float, key: str, weight: float, wait: float) -> tuple[str, float, Request | None]:
        self.number += 1
        request = Request(key, weight, self.number, now)
        if not len(self.queue) and self.pace.next_slot(now) <= now:
            self.take(request, now)
            self.queue.passed(request)
            return "go", request.number, request
        before = self.queue.places_before(key, weight, self.pace.rate(now), len(self.pace))
        seconds = max(self.pace.next_slot(now, before) - now, 0)
        if len(self.queue) >= QUOTA.max_queue:
            return "full", seconds, None
        if seconds > wait:
            return "no", seconds, None
        self.queue.join(request)
        self.promise(now)
        return "wait", request.number, request

    def again(self, now: float, request: Request) -> Request:
        assert request.went_at is not None
        self.pace.refused(request.went_at, now)
        repeated = Request(request.key, request.weight, request.number, now)
        self.queue.join(repeated, first=True)
        self.promise(now)
        return repeated

    def leave(self, now: float, request: Request) -> None:
        if self.next is request:
            self.next = None
        if not self.queue.leave(request) and request.went_at is not None:
            if self.pace.give_back(request.went_at, request.key, now):
                self.queue.given_back(request.key)
            request.went_at = None
        self.promise(now)

    def promise(self, now: float) -> None:
        if self.next is None and len(self.queue):
            at = self.pace.next_slot(now)
            self.next, self.next_at = self.queue.pop(), at
            assert self.next
            self.take(self.next, at)

    def take(self, request: Request, at: float) -> None:
        self.pace.take(at, request.key)
        request.went_at = at


class Script:
    """The same on a real Redis, with the test's clock in place of Redis' own."""

    def __init__(self, database: "redis.Redis") -> None:
        assert SCRIPT.count(CLOCK) == 1
        self._script = database.register_script(SCRIPT.replace(CLOCK, "local now = S.now"))
        self._keys = [f"{{test}}:{part}" for part in range(8)]
        database.delete(*self._keys)
        self.epoch = ""
        self.epoch = self.call(0.0, "join", "")[4]

    def call(self, now: float, step: str, *arguments: Any) -> list[Any]:
        numbers = settings_for(QUOTA, WINDOW) | {"now": now, "grace": 1e9, "dead": 1e9}
        text = json.dumps(numbers)
        found = self._script(self._keys, [step, text, "process", self.epoch, *arguments])
        return [part.decode() if isinstance(part, bytes) else part for part in found]


@settings(
    max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(steps=st.lists(step, max_size=60))
def test_both_decide_alike(database: "redis.Redis", steps: list[tuple[Any, ...]]) -> None:
    model, script, now = Promising(), Script(database), 0.0
    waiting: list[tuple[str, Request]] = []
    went: list[tuple[str, Request]] = []
    for count, (name, *arguments) in enumerate(steps):
        if name == "pass":
            # A promise that falls due is kept: the script would take its process for dead.
            now = min(now + arguments[0], model.next_at) if model.next else now + arguments[0]
            continue
        model.expire(now)
        if name == "ask":
            key, weight, wait = arguments
            outcome, number, request = model.ask(now, key, weight, wait)
            found = script.call(now, "ask", f"r{count}", key, weight, wait, 0)
            assert found[0] == outcome
            assert float(found[1]) == pytest.approx(number)
            if request:
                (went if outcome == "go" else waiting).append((f"r{count}", request))
        elif name == "start" and model.next and model.next_at <= now:
            request = model.next
            place = next(place for place, (_, other) in enumerate(waiting) if other is request)
            found = script.call(now, "start", waiting[place][0], request.key)
            if found[0] == "later":
                assert model.pace.held_until > now
                continue
            assert found[0] == "go"
            went.append(waiting.pop(place))
            model.next = None
            model.promise(now)
        elif name == "leave" and waiting:
            label, request = waiting.pop(arguments[0] % len(waiting))
            model.leave(now, request)
            script.call(now, "leave", label, request.key)
        elif name == "unsent" and went:
            label, request = went.pop(arguments[0] % len(went))
            model.leave(now, request)
            script.call(now, "leave", label, request.key)
        elif name == "again" and went:
            _, request = went.pop(arguments[0] % len(went))
            taken = request.went_at
            repeated = model.again(now, request)
            script.call(now, "again", f"r{count}", request.key, request.weight, 1e9, request.number, taken, -1)
            waiting.append((f"r{count}", repeated))
        found = script.call(now, "status")
        labels = {id(request): label for label, request in waiting}
        assert found[6] == (labels[id(model.next)] if model.next else "")
        if model.next:
            assert float(found[7]) == pytest.approx(max(model.next_at - now, 0))
        assert float(found[2]) == pytest.approx(model.pace.rate(now))
        assert (int(float(found[1])), found[10]) == (len(model.queue), len(model.pace))
