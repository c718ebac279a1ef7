"""Draws the two pictures of docs/benchmarks.md: ours to the built-in provider, and everybody's answers a second."""

import math
from collections.abc import Mapping
from pathlib import Path

from bench.drawing import BLUE, GREEN, GREY, RED, bar, dot, line, save, svg, text
from bench.gateways.cells import TWO
from bench.gateways.phases import LIMIT, THEM, US
from bench.gateways.results import Results
from gateway.project import ROOT

RATIOS, RATES = ROOT / "docs" / "benchmarks-ratios.png", ROOT / "docs" / "benchmarks-rates.png"
WIDTH, LEFT, ROW, TOP = 940, 330, 26, 70
FIGURES = {"rate": ("answers a second", BLUE), "first": ("time to the first text", RED), "cpu": ("CPU", GREEN)}


def draw(results: Results, ratios_file: Path = RATIOS, rates_file: Path = RATES) -> None:
    for drawing, file in ((ratios(results), ratios_file), (rates(results), rates_file)):
        save(drawing[0], WIDTH, drawing[1], file)


def ratios(results: Results) -> tuple[str, int]:
    """A row for each cell: the median ratio of each figure, with its spread, on a scale of powers of two."""
    cells = list(results.rounds.get("core", {}))
    height = TOP + len(cells) * ROW + 70
    found = {
        (cell, figure): ratio
        for cell in cells
        for figure in FIGURES
        if (ratio := results.ratio("core", cell, US, THEM, figure))
    }
    least = min([0.5, *(ratio.least for ratio in found.values())])
    most = max([2.0, *(ratio.most for ratio in found.values())])
    low, high = math.floor(math.log2(least)), math.ceil(math.log2(most))

    def at(value: float) -> float:
        return LEFT + (WIDTH - LEFT - 40) * (math.log2(value) - low) / (high - low)

    bottom = TOP + len(cells) * ROW
    parts = [text(20, 30, "This gateway to LiteLLM's built-in provider, same proxy, same text", size=16, weight=600)]
    for power in range(low, high + 1):
        parts.append(line(at(2**power), TOP - 8, at(2**power), bottom, *(("#333", 1.5) if power == 0 else ())))
        parts.append(text(at(2**power), bottom + 18, f"{2.0**power:g}", "middle"))
    for row, cell in enumerate(cells):
        y = TOP + row * ROW + ROW / 2
        parts.append(text(LEFT - 12, y + 4, cell, "end"))
        for number, (figure, (_, colour)) in enumerate(FIGURES.items()):
            if ratio := found.get((cell, figure)):
                height_of = y + (number - 1) * 6
                parts.append(line(at(ratio.least), height_of, at(ratio.most), height_of, colour, 2))
                parts.append(dot(at(ratio.median), height_of, colour))
    parts.append(_legend(bottom + 48, dict(FIGURES.values())))
    return svg(WIDTH, height, parts), height


def rates(results: Results) -> tuple[str, int]:
    """Answers a second at 16 clients, plain and streamed, on a scale of powers of ten."""
    core = results.rounds.get("core", {})
    names = list(dict.fromkeys(name for cell in core.values() for name in cell))
    kinds = {"plain": (TWO[0].name, BLUE), "stream of 20 deltas": (TWO[1].name, RED)}
    values = {
        (name, kind): rate
        for name in names
        for kind, (cell, _) in kinds.items()
        if (rate := results.median("core", cell, name, "rate"))
    }
    names.sort(key=lambda name: -values.get((name, "plain"), 0))
    most = math.ceil(math.log10(max([100.0, *values.values()])))
    height = TOP + len(names) * 2 * ROW + 70
    bottom = height - 70

    def at(value: float) -> float:
        return LEFT / 2 + (WIDTH - LEFT / 2 - 80) * max(math.log10(max(value, 1)), 0) / most

    parts = [text(20, 30, "Answers a second, 16 clients, prompts of 1 KB", size=16, weight=600)]
    for power in range(most + 1):
        parts.append(line(at(10**power), TOP - 8, at(10**power), bottom))
        parts.append(text(at(10**power), bottom + 18, f"{10**power}", "middle"))
    for row, name in enumerate(names):
        y = TOP + row * 2 * ROW
        parts.append(text(LEFT / 2 - 12, y + ROW, name, "end", 12, 600 if name == US else 400))
        for number, (kind, (_, colour)) in enumerate(kinds.items()):
            if (name, kind) in values:
                rate, top = values[name, kind], y + 4 + number * 20
                parts.append(bar(at(1), top, at(rate) - at(1), 16, colour if name != LIMIT else GREY))
                parts.append(text(at(rate) + 6, top + 12, f"{rate:.0f}"))
            else:
                parts.append(text(at(1) + 6, y + 16 + number * 20, "does not answer"))
    parts.append(_legend(bottom + 48, {kind: colour for kind, (_, colour) in kinds.items()}))
    return svg(WIDTH, height, parts), height


def _legend(y: float, colours: Mapping[str, str]) -> str:
    parts = []
    for number, (told, colour) in enumerate(colours.items()):
        x = 20 + number * 230
        parts += [bar(x, y - 9, 18, 8, colour), text(x + 26, y, told)]
    return "".join(parts)
