"""Nothing that can arrive makes a reader fail in a way that its callers do not know."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sampling import all_cases
from tests.unit.fuzz import __main__ as fuzz
from tests.unit.fuzz.mutating import SHAPES, mutated
from tests.unit.fuzz.targets import TARGETS

FOUND = sorted((Path(__file__).parent / "found").iterdir())
randoms = st.randoms(use_true_random=False)


def attempt(target: str, data: bytes) -> None:
    """Says what to keep of an input that makes the target fail."""
    run, _ = TARGETS[target]
    try:
        run(data)
    except Exception as error:
        error.add_note(f"to keep it: tests/unit/fuzz/found/{target}-NAME with the bytes {data!r}")
        raise


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=settings().max_examples * (2 if all_cases() else 1))
@given(data=st.data())
def test_whatever_arrives(target: str, shape: str, data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from(TARGETS[target][1]))
    attempt(target, mutated(seed, shape, data.draw(randoms), data.draw(st.integers(1, 8))))


@pytest.mark.parametrize("target", TARGETS)
def test_the_seeds_themselves(target: str) -> None:
    for seed in TARGETS[target][1]:
        attempt(target, seed)


def test_what_fails_is_kept_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(data: bytes) -> None:
        raise LookupError(data)

    monkeypatch.setattr(fuzz, "TARGETS", {"planted": (fails, [b"seed"])})
    monkeypatch.setattr(fuzz, "FOUND", tmp_path)
    assert fuzz.fuzz(0.05, seed=7) == 1
    [kept] = tmp_path.iterdir()
    assert kept.name.startswith("planted-")
    told = capsys.readouterr()
    assert "seed 7: planted " in told.out
    assert f"{kept}: LookupError in " in told.err


def test_wrong_minutes_are_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MINUTES", "ten")
    assert fuzz.main() == 2
    assert capsys.readouterr().err == "MINUTES and SEED are numbers, as in: make fuzz MINUTES=10\n"


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.name)
def test_what_was_found_once(path: Path) -> None:
    attempt(path.name.partition("-")[0], path.read_bytes())
