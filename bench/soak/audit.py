"""What is wrong after a soak: requests with a wrong end, wrong spend, and what the gateway still holds."""

import statistics
import time
from collections.abc import Sequence

from bench.soak.mix import KINDS
from bench.soak.team import Outcome, Soak
from bench.soak.watch import Sample
from tests.developers import Developer
from tests.slow.resilience.ledger import Ledger

WRITTEN_SECONDS = 120.0  # far beyond what LiteLLM takes to write what was spent
# Of each agent that works at once, a connection to StackSpot is kept for a while; timers come and go by so many.
MORE_FILES, MORE_TASKS, MORE_THREADS = 40, 5, 3


def mistakes(soak: Soak, ledger: Ledger, memory_growth: float) -> list[str]:
    """Sentences; none when all is right. `memory_growth`: by what part memory at rest may grow after the warm-up."""
    found = [f"{one.tag} ({one.kind}): {said}" for one in soak.outcomes if (said := _mistake(soak, one))]
    asked = {outcome.tag for outcome in soak.outcomes}
    found += [f"{tag}: StackSpot was asked, and nobody asked so" for tag in soak.received.answers.keys() - asked]
    for leg, count in enumerate(soak.open_streams):
        if count:
            found.append(f"after leg {leg} StackSpot still sends {count} streams")
    return found + _left_over(soak.rests, memory_growth) + _spend(soak, ledger)


def growth(rests: Sequence[Sample]) -> float:
    """Memory at the end as a part of memory after the warm-up: medians of the last third, and of the third before."""
    third = max(len(rests) // 3, 1)
    before, last = rests[-2 * third : -third] or rests[:1], rests[-third:]
    return statistics.median(one.memory for one in last) / statistics.median(one.memory for one in before)


def _mistake(soak: Soak, outcome: Outcome) -> str:
    answers, tokens = soak.received.answers.get(outcome.tag, 0), soak.received.tokens.get(outcome.tag, 0)
    if outcome.mistake:
        return outcome.mistake
    if not outcome.ended:
        return "has no outcome"
    if answers != KINDS[outcome.kind].answered:
        return f"StackSpot answered it {answers} times"
    if outcome.tokens != tokens:
        return f"the client was told {outcome.tokens} tokens, StackSpot counted {tokens}"
    return ""


def _left_over(rests: Sequence[Sample], memory_growth: float) -> list[str]:
    first, last = rests[0], rests[-1]
    found = []
    for name, before, after, more in (
        ("files", first.files, last.files, MORE_FILES),
        ("tasks", first.tasks, last.tasks, MORE_TASKS),
        ("threads", first.threads, last.threads, MORE_THREADS),
    ):
        if after > before + more:
            found.append(f"at rest the gateway has {after} {name}, after the first leg it had {before}")
    if growth(rests) > 1 + memory_growth:
        course = ", ".join(f"{one.memory:.0f}" for one in rests)
        found.append(f"memory at rest grows by {growth(rests) - 1:.1%}: {course} MB")
    return found


def _spend(soak: Soak, ledger: Ledger) -> list[str]:
    until = time.monotonic() + WRITTEN_SECONDS
    while found := [said for developer in soak.developers if (said := _charged(soak, ledger, developer))]:
        if time.monotonic() > until:
            return found
        time.sleep(1)
    return []


def _charged(soak: Soak, ledger: Ledger, developer: Developer) -> str:
    own = [outcome for outcome in soak.outcomes if outcome.developer == developer]
    counted, answered = (
        sum(soak.received.tokens.get(one.tag, 0) for one in own),
        sum(KINDS[one.kind].answered for one in own),
    )
    account = ledger.of(developer)
    if (account.budget, account.daily, len(account.rows)) == (counted, counted, answered):
        return ""
    return (
        f"{developer.name}: StackSpot counted {counted} tokens in {answered} answers; "
        f"booked are {account.budget} in its budget, {account.daily} by day, {len(account.rows)} answers"
    )
