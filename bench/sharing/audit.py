"""Whether each request had one outcome and was charged once: clients, StackSpot's log and the database side by side."""

import re
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from bench.sharing.crew import TAG, Crew, Outcome

WRITTEN_SECONDS = 90.0  # far beyond what LiteLLM takes to write what was spent


@dataclass
class Audit:
    """`mistakes` is empty when all is as it should be. Tokens are sums over all keys."""

    mistakes: list[str] = field(default_factory=list)
    tags: set[str] = field(default_factory=set)  # of all requests that came to StackSpot
    refused: int = 0  # 429s of StackSpot to the gateway
    counted: int = 0
    charged: int = 0


@dataclass(frozen=True)
class Log:
    """What StackSpot was asked, by the tag in the prompt."""

    statuses: dict[str, Counter[int | None]]
    tokens: dict[str, int]

    @classmethod
    def of(cls, crew: Crew) -> "Log":
        statuses: dict[str, Counter[int | None]] = defaultdict(Counter)
        tokens: Counter[str] = Counter()
        for record in crew.team.simulator.requests("/chat"):
            if tag := tag_of(record):
                statuses[tag][record["status"]] += 1
                tokens[tag] += sum((record["usage"] or {}).values())
        return cls(statuses, tokens)


def tag_of(record: dict[str, Any]) -> str | None:
    """None for a request of somebody else."""
    prompt = record["body"].get("user_prompt", "") if isinstance(record["body"], dict) else ""
    found = re.search(TAG, prompt)
    return found[1] if found else None


def audit(crew: Crew, killed: int | None = None) -> Audit:
    """`killed` is the replica that was killed: what it had not written is lost."""
    log, done = Log.of(crew), Audit()
    done.tags = set(log.statuses)
    done.refused = sum(found[429] for found in log.statuses.values())
    for outcome in crew.outcomes:
        if mistake := _mistake(outcome, log):
            done.mistakes.append(f"{outcome.tag}: {mistake}")
    known = {outcome.tag for outcome in crew.outcomes}
    done.mistakes += [f"{tag}: StackSpot was asked, and no client asks so" for tag in log.statuses.keys() - known]
    until = time.monotonic() + WRITTEN_SECONDS
    while mistakes := _spend(crew, log, done, killed):
        if time.monotonic() > until:
            done.mistakes += mistakes
            break
        time.sleep(1)
    return done


def _mistake(outcome: Outcome, log: Log) -> str | None:
    answers = log.statuses[outcome.tag][200] if outcome.tag in log.statuses else 0
    if not outcome.ended:
        return "has no outcome"
    if outcome.answered and answers != 1:
        return f"was answered once, by StackSpot {answers} times"
    if outcome.status is not None and not outcome.answered and answers:
        return f"was answered {answers} times by StackSpot, and the client got {outcome.error}"
    if answers > 1:
        return f"was answered {answers} times by StackSpot"
    if outcome.answered and outcome.tokens != log.tokens[outcome.tag]:
        return f"the client was told {outcome.tokens} tokens, StackSpot counted {log.tokens[outcome.tag]}"
    return None


def _spend(crew: Crew, log: Log, done: Audit, killed: int | None) -> list[str]:
    mistakes = []
    done.counted = done.charged = 0
    for developer in {outcome.developer for outcome in crew.outcomes}:
        own = [outcome for outcome in crew.outcomes if outcome.developer == developer]
        counted = sum(log.tokens.get(outcome.tag, 0) for outcome in own)
        least = sum(log.tokens.get(outcome.tag, 0) for outcome in own if outcome.gateway != killed)
        account = crew.team.ledger.of(developer)
        done.counted += counted
        done.charged += account.budget
        for name, charged in (("budget", account.budget), ("day", account.daily)):
            if not least <= charged <= counted:
                mistakes.append(f"{developer.name}: {charged} tokens in its {name}, StackSpot counted {counted}")
    return mistakes
