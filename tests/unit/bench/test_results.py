"""What the benchmark's tables say of figures: ratios of rounds that stood side by side, and whether a target is met."""

from pathlib import Path

from bench.gateways.cells import CORE, NONCE, Cell, answer
from bench.gateways.phases import STOCK, THEM, US
from bench.gateways.results import Memory, Results, Round
from bench.gateways.tables import left_out, parts
from bench.gateways.targets import TARGETS, targets

PLAIN = Cell(16, False).name


def found() -> Results:
    results = Results({"command": "make bench", "date": "2026-01-01", "machine": "m", "load": 0.0, "versions": {}})
    for ours, theirs in ((20, 10), (11, 10), (30, 40)):
        results.add("core", PLAIN, US, Round(ours, 0.1, 0.2, 0.3, 0.01, ours))
        results.add("core", PLAIN, THEM, Round(theirs, 0.2, 0.2, 0.3, 0.02, theirs))
    results.memory = {US: Memory(100, 210, 10), STOCK: Memory(100, 200, 10)}
    return results


def test_a_ratio_is_of_rounds_side_by_side() -> None:
    assert str(found().ratio("core", PLAIN, US, THEM, "rate")) == "1.10 (0.75 to 2.00)"


def test_a_target_that_is_met_and_one_that_is_not() -> None:
    rows = {line.split(" | ")[0].strip("| "): line for line in targets(found()).splitlines()}
    assert rows["answers a second, plain"].endswith("| ≥ 1.05 | 1.10 | yes |")
    assert rows["memory after work, to the stock proxy"].endswith("| ≤ 1.05 | 1.05 | yes |")
    assert rows["start to ready, to the stock proxy"].endswith("| not measured | - |")
    results = found()
    results.add("core", Cell(64, False).name, US, Round(9, 0.1, 0.2, 0.3, 0.01, 9))
    results.add("core", Cell(64, False).name, THEM, Round(10, 0.1, 0.2, 0.3, 0.01, 10))
    assert "| 16 clients: 1.10, 64 clients: 0.90 | no |" in targets(results)


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    found().write(tmp_path / "results.json")
    assert parts(Results.read(tmp_path / "results.json")) == parts(found())


def test_every_target_of_the_core_has_its_cells() -> None:
    results = found()
    for cell in CORE:
        for name in (US, THEM):
            results.add("core", cell.name, name, Round(10, 0.1, 0.2, 0.3, 0.01, 10))
    found_values = [len(target.values(results)) for target in TARGETS[:6]]
    assert found_values == [3, 3, 3, 3, 2, 2]


def test_requests_are_as_large_as_they_are_called() -> None:
    sizes = {cell.prompt: len("".join(cell.body("model"))) for cell in CORE}
    assert 900 < sizes["1 KB"] < 1300
    assert 220_000 < sizes["230 KB and 36 tools"] < 240_000
    assert 270_000 < sizes["100,000 tokens"] < 320_000
    for cell in CORE:
        before, after = cell.body("model")
        assert NONCE not in before + after
        assert before.startswith('{"model"')
        assert after.endswith("}")


def test_answers_are_cut_as_the_mock_cuts_them() -> None:
    for deltas in (20, 500):
        pieces = answer(deltas)
        assert len(pieces) == deltas
        assert {len(piece) for piece in pieces} == {3}


def test_the_same_mistake_is_told_once() -> None:
    notes = [
        "Portkey, stream, 1 client: 500",
        "Portkey, stream, 16 clients: 500",
        "rolter could not be installed: x: y",
    ]
    assert left_out(notes) == ["Portkey, stream, 1 client and 1 kinds more: 500", "rolter could not be installed: x: y"]
