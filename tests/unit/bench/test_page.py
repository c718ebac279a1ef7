"""The page of benchmarks shows the figures that are kept, and no others."""

import json

import pytest

from bench import below, page
from bench.gateways import tables
from bench.gateways.phases import STOCK, US
from bench.gateways.results import Results
from bench.growth.__main__ import FILE as GROWTH
from bench.growth.__main__ import shown
from bench.growth.fit import Line


def test_the_tables_are_those_of_the_figures() -> None:
    text = page.PAGE.read_text()
    lines = [Line(**each) for each in json.loads(GROWTH.read_text())]
    assert (
        page.filled(text, {**tables.parts(Results.read()), "growth": shown(lines), "below": below.read().shown()})
        == text
    )


def test_a_part_without_a_place_is_a_mistake() -> None:
    with pytest.raises(LookupError, match=r"benchmarks\.md has 0 places for nothing"):
        page.filled("", {"nothing": ""})


def test_what_stands_around_a_part_stays() -> None:
    text = "before\n<!-- a -->\nold\n<!-- end of a -->\nafter\n"
    assert page.filled(text, {"a": "new"}) == "before\n<!-- a -->\nnew\n<!-- end of a -->\nafter\n"


def test_nothing_is_no_ratio() -> None:
    figures = below.Figures({"command": "make bench-below", "date": "2026-11-27", "load": 0.0})
    for name, value in ((US, 0.2), (STOCK, 0.0)):
        figures.add(below.IDLE, name, value)
    assert f"| {below.IDLE} | - | - | - | 0.2 s | 0 s |" in figures.shown()
