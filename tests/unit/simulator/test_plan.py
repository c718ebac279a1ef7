"""The writing of streams, without a socket: nothing that cuts or groups may change what is said."""

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from simulator.api.plan import Dialect, Ending, cut, dump, groups_of, lay_out
from simulator.control.faults import Faults
from simulator.control.replies import Answer

WAYS = ["tokens", "characters", "surrogates", "whole"]
texts = st.text(st.characters(codec="utf-8"), max_size=60)


def dialect() -> Dialect:
    return Dialect(delta=dump, opening=[b"{}"], closing=[b"{}"], final=b"final", error=b"error", done=True)


def joined(pieces: tuple[str, ...]) -> str:
    return "".join(pieces).encode("utf-16-be", "surrogatepass").decode("utf-16-be")


@given(texts, st.sampled_from(WAYS))
def test_pieces_are_the_text(text: str, way: str) -> None:
    pieces = cut(text, way)
    assert joined(pieces) == text
    assert all(pieces)


@given(texts, st.integers(1, 9), st.sampled_from([None, *WAYS]))
def test_groups_keep_every_piece(
    text: str, size: int, way: Literal["tokens", "characters", "surrogates", "whole"] | None
) -> None:
    groups = groups_of(Answer(text), Faults(deltas_per_write=size, pieces=way))
    assert all(len(group) == size for group in groups[:-1])
    assert joined(tuple(piece for group in groups for piece in group)) == text


@given(texts, st.integers(1, 40), st.integers(1, 5))
def test_cutting_keeps_every_byte_and_every_count(text: str, size: int, group: int) -> None:
    faults = Faults(deltas_per_write=group, comments=True)
    whole = lay_out(groups_of(Answer(text), faults), dialect(), faults)
    pieces = lay_out(
        groups_of(Answer(text), faults), dialect(), Faults(deltas_per_write=group, comments=True, cut_bytes=size)
    )
    assert b"".join(w.data for w in pieces.writes) == b"".join(w.data for w in whole.writes)
    assert sum(w.deltas for w in pieces.writes) == sum(w.deltas for w in whole.writes)
    assert sum(w.reports_usage for w in pieces.writes) == 1
    assert all(len(w.data) == size for w in pieces.writes[:-1])


@given(texts, st.integers(0, 12), st.integers(1, 5))
def test_breaking_sends_exactly_so_many_deltas(text: str, after: int, group: int) -> None:
    faults = Faults(break_after=after, deltas_per_write=group, pieces="characters")
    plan = lay_out(groups_of(Answer(text), faults), dialect(), faults)
    assert plan.ending is Ending.BREAK
    assert sum(write.deltas for write in plan.writes) == min(after, len(text))
    assert not any(write.reports_usage for write in plan.writes)
