"""Three minutes of what `make soak` does for twenty."""

import pytest

from bench.soak.__main__ import soaked
from bench.soak.audit import mistakes
from bench.soak.mix import KINDS

REQUESTS, LEGS = 2400, 6
# LiteLLM fills its caches for longer than this takes: the long soak allows a third of it.
MEMORY_GROWTH = 0.10


@pytest.mark.timeout(900)
def test_a_team_at_work_leaves_nothing_over() -> None:
    with soaked(seed=1) as (soak, ledger):
        soak.run(REQUESTS, LEGS)
        assert mistakes(soak, ledger, MEMORY_GROWTH) == []
    assert {outcome.kind for outcome in soak.outcomes} == set(KINDS)
    assert len(soak.outcomes) == REQUESTS + LEGS, "one of each leg was asked alone, after the rest"
