"""A simulated team on a simulated account: hours of agents' work in seconds, with the pure policy and no clock."""

import heapq
import random
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from custom_handlers.pacing.fair_queue import Request
from custom_handlers.pacing.policy import Policy
from custom_handlers.pacing.quota import NoTurnError

Events = Iterator[float]


@dataclass
class Agent:
    """Asks, reads the answer, thinks, and asks again, from `begins` to `ends`. Leaves a queue after `patience`."""

    key: str
    think: Callable[[random.Random], float]
    weight: float = 1.0
    begins: float = 0.0
    ends: float = float("inf")
    patience: float = float("inf")


@dataclass
class Upstream:
    """StackSpot: at most `limit(now)` in any 60 s, others' use included; what is refused does not count."""

    limit: Callable[[float], float] = lambda _: 100
    others_per_minute: float = 0.0
    answer: float = 2.0
    taken: deque[float] = field(default_factory=deque)
    asked: int = 0
    refused: int = 0
    _others_next: float = 0.0

    def accepts(self, now: float) -> bool:
        while self.others_per_minute and self._others_next <= now:
            self._accept(self._others_next)
            self._others_next += 60 / self.others_per_minute
        self.asked += 1
        accepted = self._accept(now)
        self.refused += not accepted
        return accepted

    def _accept(self, now: float) -> bool:
        while self.taken and self.taken[0] <= now - 60:
            self.taken.popleft()
        if len(self.taken) >= self.limit(now):
            return False
        self.taken.append(now)
        return True


@dataclass
class Result:
    answers: Counter[str] = field(default_factory=Counter)
    waits: dict[str, list[float]] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    told: list[float] = field(default_factory=list)
    left: int = 0
    sent: list[float] = field(default_factory=list)
    steps: int = 0

    def jain(self) -> float:
        shares = list(self.answers.values())
        return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))

    def waited(self, *keys: str) -> list[float]:
        return sorted(wait for key in keys or self.waits for wait in self.waits.get(key, ()))


class Simulation:
    """Runs agents against a policy; a request's whole fate is decided by the events of one heap."""

    def __init__(self, policy: Policy, agents: list[Agent], upstream: Upstream, seed: int = 1) -> None:
        self.policy, self.upstream, self.result = policy, upstream, Result()
        self._random = random.Random(seed)
        self._now, self._count, self._timer = 0.0, 0, float("inf")
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._agents: dict[int, Agent] = {}  # of the requests that wait, by number
        self._outcomes: Counter[int] = Counter()
        for agent in agents:
            self._at(agent.begins, lambda agent=agent: self._ask(agent))  # type: ignore[misc]

    def run(self, seconds: float) -> Result:
        while self._events and self._events[0][0] <= seconds:
            self._now, _, act = heapq.heappop(self._events)
            act()
            self.result.steps += 1
            self._set_timer()
        return self.result

    def check_no_request_was_lost(self) -> None:
        """Every request that waits no more had one outcome, and those that wait are all known to the queue."""
        assert len(self.policy.queue) == len(self._agents)
        assert set(self._outcomes.values()) <= {1}

    def _at(self, time: float, act: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (time, self._count, act))

    def _set_timer(self) -> None:
        turn = self.policy.next_turn(self._now)
        if turn is not None and (turn < self._timer or self._timer <= self._now):
            self._timer = max(turn, self._now)
            self._at(self._timer, self._grant)

    def _grant(self) -> None:
        while request := self.policy.grant(self._now):
            self._send(self._agents.pop(request.number), request)

    def _ask(self, agent: Agent) -> None:
        if self._now >= agent.ends:
            return
        try:
            request = self.policy.ask(self._now, agent.key, agent.weight, 60.0)
        except NoTurnError as error:
            self.result.refusals[agent.key] += 1
            self.result.told.append(error.retry_after)
            self._at(self._now + error.retry_after + self._random.uniform(0, 1), lambda: self._ask(agent))
            return
        if request.went_at is not None:
            self._send(agent, request)
        else:
            self._wait(agent, request)

    def _wait(self, agent: Agent, request: Request) -> None:
        self._agents[request.number] = agent
        end = request.asked_at + min(60.0, agent.patience)
        self._at(end, lambda: self._give_up(agent, request))

    def _give_up(self, agent: Agent, request: Request) -> None:
        if not request.waiting:
            return
        self.policy.leave(self._now, request)
        self._agents.pop(request.number)
        self._outcome(request)
        self.result.left += 1
        self._at(self._now + agent.think(self._random), lambda: self._ask(agent))

    def _send(self, agent: Agent, request: Request) -> None:
        if self.upstream.accepts(self._now):
            self.result.sent.append(self._now)
            self._outcome(request)
            self.result.answers[agent.key] += 1
            self.result.waits.setdefault(agent.key, []).append(self._now - request.asked_at)
            next_ask = self._now + self.upstream.answer + agent.think(self._random)
            self._at(next_ask, lambda: self._ask(agent))
        else:
            self._at(self._now + 0.1, lambda: self._refused(agent, request))

    def _refused(self, agent: Agent, request: Request) -> None:
        left = request.asked_at + 60.0 - self._now
        try:
            repeated = self.policy.again(self._now, request, left)
        except NoTurnError as error:
            self._outcome(request)
            self.result.refusals[agent.key] += 1
            self._at(self._now + error.retry_after, lambda: self._ask(agent))
            return
        self._wait(agent, repeated)

    def _outcome(self, request: Request) -> None:
        self._outcomes[request.number] += 1


def most_in_a_window(times: list[float], window: float = 60.0) -> int:
    """The most that any window of so many seconds holds."""
    most, first = 0, 0
    for last, time in enumerate(times):
        while times[first] <= time - window:
            first += 1
        most = max(most, last - first + 1)
    return most


def quantile(values: list[float], part: float) -> float:
    return values[min(int(len(values) * part), len(values) - 1)] if values else 0.0
