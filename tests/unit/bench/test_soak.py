"""The soak finds what is wrong, and nothing where all is right."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bench.soak import audit
from bench.soak.audit import mistakes
from bench.soak.team import Outcome, Received, Soak
from bench.soak.watch import Sample
from tests.developers import Developer
from tests.slow.resilience.ledger import Account, Ledger

ANA = Developer("ana", "sk-ana")
REST = Sample(seconds=10.0, memory=700.0, files=40, threads=12, tasks=9)
ANSWERED = Outcome("leg0/1", ANA, "chat", began=1.0, first=2.0, ended=2.0, tokens=30)
REFUSED = Outcome("leg0/2", ANA, "StackSpot fails", began=1.0, first=2.0, ended=2.0)
BOOKED = Account(budget=30, daily=30, rows=frozenset({"one"}))


def soak(*outcomes: Outcome, rests: list[Sample] | None = None, answers: int = 1, streams: int = 0) -> Soak:
    received = Received({"leg0/1": answers, "leg0/2": 0}, {"leg0/1": 30, "leg0/2": 0})
    nothing = cast(Any, None)
    outcomes = outcomes or (ANSWERED, REFUSED)
    return Soak(nothing, nothing, [ANA], nothing, 1, [*outcomes], rests or [REST] * 6, [streams], received)


def found(soak: Soak, account: Account = BOOKED) -> list[str]:
    return mistakes(soak, cast(Ledger, SimpleNamespace(of=lambda developer: account)), memory_growth=0.03)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "WRITTEN_SECONDS", 0.0)


def test_all_is_right() -> None:
    assert found(soak()) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (soak(replace(ANSWERED, mistake="status 500: no"), REFUSED), "leg0/1 (chat): status 500: no"),
        (soak(replace(ANSWERED, ended=0.0), REFUSED), "leg0/1 (chat): has no outcome"),
        (soak(replace(ANSWERED, tokens=29), REFUSED), "the client was told 29 tokens, StackSpot counted 30"),
        (soak(answers=2), "StackSpot answered it 2 times"),
        (soak(REFUSED), "leg0/1: StackSpot was asked, and nobody asked so"),
        (soak(streams=3), "after leg 0 StackSpot still sends 3 streams"),
        (soak(rests=[REST, *[replace(REST, tasks=40)] * 5]), "at rest the gateway has 40 tasks"),
        (soak(rests=[REST, *[replace(REST, files=90)] * 5]), "at rest the gateway has 90 files"),
        (soak(rests=[REST, *[replace(REST, threads=20)] * 5]), "at rest the gateway has 20 threads"),
        (soak(rests=[REST] * 4 + [replace(REST, memory=760.0)] * 2), "memory at rest grows by 8.6%"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_told(wrong: Soak, said: str) -> None:
    assert [sentence for sentence in found(wrong) if said in sentence]


@pytest.mark.parametrize(
    "account",
    [replace(BOOKED, budget=29), replace(BOOKED, daily=31), replace(BOOKED, rows=frozenset({"one", "two"}))],
    ids=["budget", "day", "rows"],
)
def test_wrong_spend_is_told(account: Account) -> None:
    (sentence,) = found(soak(), account)
    assert sentence.startswith("ana: StackSpot counted 30 tokens in 1 answers; booked are")


def test_memory_may_grow_while_it_warms_up() -> None:
    rests = [replace(REST, memory=memory) for memory in (600.0, 650.0, 700.0, 700.0, 701.0, 702.0)]
    assert found(soak(rests=rests)) == []
