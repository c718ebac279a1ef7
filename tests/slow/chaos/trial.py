"""Asks questions, judges every outcome, and compares the books at the end."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from simulator.client import Simulator
from tests.gateway.calling import CHAT
from tests.harness import Server
from tests.slow.chaos.books import Booked, cost
from tests.slow.chaos.judging import Findings
from tests.slow.chaos.lanes import Lane, run_all
from tests.slow.chaos.questions import Question, id_of
from tests.slow.chaos.seeding import replay

BOOKED_WITHIN = 60.0
MOST_ASKED = 4
MOST_SHOWN = 100


class Trial:
    """One gateway and its lanes, from the first question to the verdict."""

    def __init__(self, lanes: list[Lane], server: Server, simulator: Simulator) -> None:
        self._lanes, self._server, self._simulator = lanes, server, simulator
        self._findings = Findings()
        self._costs: dict[int, list[tuple[int, int]]] = {lane.number: [] for lane in lanes}

    def ask(self, questions: Sequence[Question | None], expected: Callable[[Question], set[str]]) -> None:
        """All over the lanes (None for a lane's rest); each outcome has to be of a class that is expected."""
        self._simulator.clear()
        run_all(self._lanes, self._server, self._simulator.url, questions)
        records = self._simulator.requests()
        for lane in self._lanes:
            for asked in lane.asked[len(self._costs[lane.number]) :]:
                kind = self._findings.judge(asked, expected(asked.question))
                mine = lane.asked_for(records, asked)
                if len(mine) > MOST_ASKED:
                    self._findings.note(asked, f"StackSpot was asked {len(mine)} times")
                self._costs[lane.number].append(cost(asked, kind, mine))

    def verdict(self, outcomes: Counter[str], database: str) -> None:
        outcomes.update(self._findings.outcomes)
        wrong = [*self._findings.wrong, *mistakes_in_books(self._lanes, self._costs, database)]
        wrong += [f"the id {one} came {count} times" for one, count in self._findings.ids.items() if count > 1]
        assert not wrong, f"{replay()}\n" + "\n".join(wrong[:MOST_SHOWN])


def mistakes_in_books(lanes: list[Lane], costs: Mapping[int, list[tuple[int, int]]], database: str) -> list[str]:
    """A line of the log for each question, in order; their sum is the key's spend and the day's total."""
    end = time.monotonic() + BOOKED_WITHIN
    while True:
        found = []
        for lane in lanes:
            assert lane.developer
            found += _mistakes(lane, costs[lane.number], Booked.of(lane.developer, database))
        if not found or time.monotonic() > end:
            return found
        time.sleep(1)


def _mistakes(lane: Lane, costs: list[tuple[int, int]], booked: Booked) -> list[str]:
    total = sum(tokens for tokens, _, _ in booked.rows)
    found = []
    if len(booked.rows) != len(costs):
        found.append(f"{lane.name}: {len(booked.rows)} lines for {len(costs)} questions")
    if {booked.budget, booked.daily} != {total}:
        found.append(f"{lane.name}: the key has spent {booked.budget}, the day {booked.daily}, the lines {total}")
    for asked, (least, most), (tokens, status, request_id) in zip(lane.asked, costs, booked.rows, strict=False):
        question, whole = asked.question, asked.reply is not None and asked.reply.failure is None
        if not least <= tokens <= most:
            found.append(f"{lane.name} #{question.number} {question}: {tokens} tokens instead of {least} to {most}")
        if (status == "success") != whole:
            found.append(f"{lane.name} #{question.number} {question}: booked as {status}")
        if whole and asked.reply and question.route == CHAT and request_id != id_of(asked.reply):
            found.append(f"{lane.name} #{question.number} {question}: booked under another id")
    return found
