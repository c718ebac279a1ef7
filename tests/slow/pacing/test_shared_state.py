"""The script against the policy that it repeats: the same steps at the same times have the same outcomes."""

import json
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from custom_handlers.pacing.fair_queue import Request
from custom_handlers.pacing.policy import Policy
from custom_handlers.pacing.quota import NoTurnError, Quota
from custom_handlers.pacing.script import SCRIPT, settings_for

# Numbers without rounding errors in binary: both sides compare times for equality.
WINDOW = 64.0
QUOTA = Quota(per_minute=8, burst=3, max_wait=1e9, max_queue=12)
CLOCK = "local now = redis_time()"

step = st.one_of(
    st.tuples(st.just("ask"), st.sampled_from("abc"), st.sampled_from([0.5, 1.0, 2.0]), st.sampled_from([16.0, 512.0])),
    st.tuples(st.just("pass"), st.sampled_from([0.0, 0.5, 4.0, 16.0, 64.0])),
    st.tuples(st.just("start")),
    st.tuples(st.just("leave"), st.integers(0, 20)),
    st.tuples(st.just("unsent"), st.integers(0, 20)),
    st.tuples(st.just("again"), st.integers(0, 20)),
)


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
    policy, script, now = Policy(QUOTA, WINDOW), Script(database), 0.0
    waiting: dict[str, Request] = {}
    went: dict[str, Request] = {}
    for count, (name, *arguments) in enumerate(steps):
        label = f"r{count}"
        if name == "pass":
            now += arguments[0]
        elif name == "ask":
            found = script.call(now, "ask", label, *arguments, 0)
            outcome, number = "", 0.0
            try:
                request = policy.ask(now, *arguments)
                outcome, number = ("wait" if request.went_at is None else "go"), request.number
                (waiting if request.went_at is None else went)[label] = request
            except NoTurnError as error:
                outcome, number = ("full" if error.full else "no"), error.retry_after
            assert found[0] == outcome
            assert float(found[1]) == pytest.approx(number)
        elif name == "start" and waiting:
            label = script.call(now, "tick")[6]
            found = script.call(now, "start", label, waiting[label].key)
            granted = policy.grant(now)
            assert found[0] == ("go" if granted else "later")
            if granted:
                assert waiting.pop(label) is granted
                went[label] = granted
            else:
                assert now + float(found[1]) == pytest.approx(policy.next_turn(now))
        elif name in ("leave", "unsent") and (those := waiting if name == "leave" else went):
            label = list(those)[arguments[0] % len(those)]
            request = those.pop(label)
            policy.leave(now, request)
            script.call(now, "leave", label, request.key)
        elif name == "again" and went:
            request = went.pop(list(went)[arguments[0] % len(went)])
            asked = (label, request.key, request.weight, 1e9, request.number, request.went_at or 0, -1)
            found = script.call(now, "again", *asked)
            waiting[label] = policy.again(now, request, 1e9)
            assert found[0] == "wait"
        script.call(now, "tick")
        found = script.call(now, "status")
        turn = policy.next_turn(now)
        assert (found[6] in waiting) == (turn is not None)
        if turn is not None:
            assert float(found[7]) == pytest.approx(turn - now, abs=0.002)
        assert float(found[2]) == pytest.approx(policy.pace.rate(now))
        assert (int(float(found[1])), found[10]) == (len(policy.queue), len(policy.pace))
