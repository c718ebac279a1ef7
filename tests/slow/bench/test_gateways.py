"""The benchmark itself works: a tiny one of ours, the built-in provider, the mock and the stock proxy."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench import below
from bench.gateways import __main__ as command
from bench.gateways import proxies
from bench.gateways.cells import TWO, Cell
from bench.gateways.phases import BESIDE, FLOOR, IDLE, LIMIT, STOCK, THEM, US, Scale
from bench.gateways.picture import rates, ratios
from bench.gateways.proxies import Proxies, Started
from bench.gateways.results import Results
from bench.gateways.tables import parts
from bench.processes import use
from tests.harness import running_gateway

CELLS = (Cell(2, False), Cell(2, True), Cell(2, True, deltas=500), Cell(1, False, prompt="230 KB and 36 tools"))
TINY = Scale(rounds=2, rest=1, parts=1, starts=1, seconds=0.3, warm=8, cells=CELLS)
ALL = {US, THEM, FLOOR, STOCK, LIMIT}


@contextmanager
def forked(
    self: Proxies,
    name: str,
    config: Mapping[str, Any],
    *_: str,
    environ: Mapping[str, str] | None = None,
    stock: bool = False,
) -> Iterator[Started]:
    """The same proxies, forked from a process that has imported LiteLLM: this is not about their starts."""
    path = self.folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(dict(config)))
    variables = {**self.account.for_gateway(self.upstream), **(environ or {})}
    with running_gateway(variables, self.folder / f"{name}.log", config=path) as server:
        yield Started(server, 1.0, use(server.process.pid).cpu)


def test_a_tiny_benchmark(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Proxies, "running", forked)
    command.measure(TINY, "make bench", others=False, database=False, workers=False).write(tmp_path / "results.json")
    results = Results.read(tmp_path / "results.json")
    assert results.left_out == []
    assert {cell: set(names) for cell, names in results.rounds["core"].items()} == {cell.name: ALL for cell in CELLS}
    for cell in results.rounds["core"].values():
        assert {name: len(rounds) for name, rounds in cell.items()} == {name: 1 + (name in (US, THEM)) for name in ALL}
        for name, rounds in cell.items():
            for one in rounds:
                assert one.answers > 0
                assert 0 < one.first <= one.total <= one.p95
                assert (one.cpu is None) is (name == LIMIT)
    assert set(results.rounds["beside"]) == {IDLE, BESIDE}
    assert all(one.start > 50 and one.answers == TINY.warm for one in results.memory.values())
    streamed = results.deltas[CELLS[1].name]
    assert (streamed[LIMIT], streamed[FLOOR]) == (20, 20)
    tables = parts(results)
    assert all(cell.name in tables["ours"] and cell.name in tables["everybody"] for cell in CELLS)
    for drawing, _ in (ratios(results), rates(results)):
        assert drawing.count("<svg") == 1
        assert CELLS[0].name in drawing or US in drawing


def test_a_tiny_comparison_with_the_stock_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Proxies, "running", forked)
    monkeypatch.setattr(below, "WARM_UP", 16)
    monkeypatch.setattr(below, "SETTLE_SECONDS", 1.0)
    figures = below.measure(rounds=2, requests=3, starts=0, command="make bench-below")
    assert set(figures.values) == {below.IDLE, *(f"CPU of a request: {cell.name}" for cell in TWO)}
    for what, values in figures.values.items():
        turns = 1 if what == below.IDLE else 2
        assert {name: len(measured) for name, measured in values.items()} == {US: turns, STOCK: turns}
    assert "| CPU of a request: plain, 16 clients |" in figures.shown()


def test_who_answers_something_else_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Proxies, "running", forked)
    monkeypatch.setattr(proxies, "answer", lambda deltas: ["something else"])
    results = command.measure(
        replace(TINY, rounds=1, cells=CELLS[:2]), "make bench", others=False, database=False, workers=False
    )
    assert FLOOR not in {name for cell in results.rounds["core"].values() for name in cell}
    assert results.left_out == [f"{FLOOR}, {cell.name}: answered 'something else'" for cell in CELLS[:2]]
