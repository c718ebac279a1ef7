"""The figures of one run, as a user of the gateway would count them."""

import re
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.sharing.audit import Audit, tag_of
from bench.sharing.crew import Crew, Outcome
from bench.sharing.team import GREEDY, MODEST


@dataclass(frozen=True)
class Figures:
    """Counted within the run's time; `waits` of the modest, in seconds, from the answers' headers."""

    minutes: float
    shares: dict[str, int]
    requests: int
    errors: int
    kinds: Counter[str]
    asked_per_answer: float  # of all that the agents asked, also what was answered after the time
    waits: list[float]
    greedy_waits: list[float]

    @property
    def answers(self) -> int:
        return sum(self.shares.values())

    @property
    def jain(self) -> float:
        return jain(self.shares.values())


def jain(shares: Iterable[int]) -> float:
    """1 where all get the same, 1/n where one of n gets everything."""
    values = list(shares)
    return sum(values) ** 2 / (len(values) * sum(value**2 for value in values)) if any(values) else 0.0


def figures(crew: Crew) -> Figures:
    end = crew.started + crew.scale.seconds
    done = [outcome for outcome in crew.outcomes if outcome.ended <= end]
    shares = dict.fromkeys(sorted({outcome.developer.name for outcome in crew.outcomes}), 0)
    for outcome in done:
        shares[outcome.developer.name] += outcome.answered
    asked = sum(tag_of(record) is not None for record in crew.team.simulator.requests("/chat"))
    return Figures(
        minutes=crew.scale.seconds / 60,
        shares=shares,
        requests=len(done),
        errors=sum(not outcome.answered for outcome in done),
        kinds=Counter(
            re.sub(r"\d+ s\\b|key: \w+|\w+-\w+/\d+", "...", outcome.error)[:90] for outcome in done if outcome.error
        ),
        asked_per_answer=asked / max(sum(outcome.answered for outcome in crew.outcomes), 1),
        waits=_waits(done, MODEST),
        greedy_waits=_waits(done, GREEDY),
    )


def _waits(outcomes: list[Outcome], name: str) -> list[float]:
    return [
        outcome.queued
        for outcome in outcomes
        if outcome.developer.name.startswith(name) and outcome.answered and outcome.queued is not None
    ]


def percentile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)]


def rows(found: Figures, audit: Audit) -> dict[str, str]:
    """What the table says of one run, by row."""
    modest = [share for name, share in found.shares.items() if name.startswith(MODEST)]
    greedy = sum(share for name, share in found.shares.items() if name.startswith(GREEDY))
    return {
        "answers a minute": f"{found.answers / found.minutes:.1f}",
        "answers of the greedy key, of each other": f"{greedy}, {min(modest)} to {max(modest)}" if modest else "-",
        "errors at clients": f"{100 * found.errors / max(found.requests, 1):.1f} % ({found.errors})",
        "Jain's index over the keys": f"{found.jain:.3f}",
        "StackSpot asked, per answer": f"{found.asked_per_answer:.2f}",
        "the modest wait: median, 95 %": _wait(found.waits),
        "the greedy waits: median, longest": _wait(found.greedy_waits, longest=True),
        "charged, of what StackSpot counted": f"{audit.charged} of {audit.counted} tokens",
        "errors were": _kinds(found.kinds),
        "mistakes": "; ".join(audit.mistakes[:3]) + f" ({len(audit.mistakes)})" if audit.mistakes else "none",
    }


def _wait(values: list[float], *, longest: bool = False) -> str:
    if not values:
        return "-"
    return f"{statistics.median(values):.1f} s, {percentile(values, 1.0 if longest else 0.95):.1f} s"


def table(columns: dict[str, dict[str, str]]) -> str:
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    lines = [["", *columns], ["---"] * (len(columns) + 1)]
    lines += [[name, *(column.get(name, "-") for column in columns.values())] for name in names]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _kinds(kinds: Counter[str]) -> str:
    return "; ".join(f"{count} × {text}" for text, count in kinds.most_common(3)) or "-"
