"""Draws a soak over time: memory, latency, open files and tasks. Chromium turns the drawing into a PNG."""

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

from bench.soak.mix import SMALL
from bench.soak.team import Soak
from tests.slow.ui.conftest import launched

WIDTH, HEIGHT, GAP = 520, 170, 70
LEFT, TOP = 64, 50
COLOUR, FAINT = "#2e6f95", "#d1495b"
Line = Sequence[tuple[float, float]]


def draw(soak: Soak, path: Path) -> None:
    width, height = 2 * (LEFT + WIDTH) + 20, TOP + 2 * (HEIGHT + GAP)
    with launched() as browser:
        page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=2)
        page.set_content(f"<body style='margin:0'>{svg(soak, width, height)}</body>")
        page.screenshot(path=path)


def svg(soak: Soak, width: int, height: int) -> str:
    samples = soak.watch.samples
    end = max(sample.seconds for sample in samples)
    p50, p95 = latency(soak, 0.5), latency(soak, 0.95)
    panels: list[tuple[str, list[tuple[str, Line]]]] = [
        ("Memory of the proxy (MB)", [(COLOUR, [(one.seconds, one.memory) for one in samples])]),
        ("A small plain answer: median and p95 (s)", [(COLOUR, p50), (FAINT, p95)]),
        ("Open files and sockets", [(COLOUR, [(one.seconds, one.files) for one in samples])]),
        ("Tasks of the event loop", [(COLOUR, [(one.seconds, one.tasks) for one in samples])]),
    ]
    drawn = []
    for at, (title, lines) in enumerate(panels):
        x, y = LEFT + (at % 2) * (LEFT + WIDTH), TOP + (at // 2) * (HEIGHT + GAP)
        drawn.append(_panel(x, y, title, lines, end))
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}'"
        f" font-family='DejaVu Sans, Arial, sans-serif'><rect width='100%' height='100%' fill='white'/>"
        f"{''.join(drawn)}</svg>"
    )


def latency(soak: Soak, quantile: float, slice_seconds: float = 15.0) -> Line:
    """Of each slice of time, in seconds."""
    slices: dict[int, list[float]] = {}
    for one in soak.outcomes:
        if one.kind == SMALL and not one.mistake and not one.tag.startswith("rest"):
            slices.setdefault(int((one.began - soak.watch.started) // slice_seconds), []).append(one.ended - one.began)
    return [
        ((at + 0.5) * slice_seconds, sorted(found)[int(quantile * (len(found) - 1))])
        for at, found in sorted(slices.items())
    ]


def _panel(x: int, y: int, title: str, lines: Sequence[tuple[str, Line]], end: float) -> str:
    top = _round(max(value for _, line in lines for _, value in line))
    parts = [_text(x, y - 14, title, "start", 14, 600)]
    for step in range(5):
        height = y + HEIGHT - step * HEIGHT / 4
        parts.append(f"<line x1='{x}' x2='{x + WIDTH}' y1='{height}' y2='{height}' stroke='#ddd'/>")
        parts.append(_text(x - 6, height + 4, f"{top * step / 4:.3g}", "end", 11))
    minutes = max(round(end / 60), 1)
    for minute in range(0, minutes + 1, max(minutes // 5, 1)):
        parts.append(_text(x + WIDTH * min(minute * 60 / end, 1), y + HEIGHT + 18, f"{minute} min", "middle", 11))
    for colour, line in lines:
        points = " ".join(f"{x + WIDTH * at / end:.1f},{y + HEIGHT - HEIGHT * value / top:.1f}" for at, value in line)
        parts.append(f"<polyline points='{points}' fill='none' stroke='{colour}' stroke-width='1.6'/>")
    return "".join(parts)


def _round(most: float) -> float:
    """The end of an axis of four steps, each of a round number."""
    step = most / 4 or 1
    unit = 10.0 ** math.floor(math.log10(step))
    return 4 * next(round_ * unit for round_ in (1, 2, 2.5, 5, 10) if round_ * unit >= step)


def _text(x: float, y: float, text: str, anchor: str, size: int, weight: int = 400) -> str:
    return (
        f"<text x='{x:.0f}' y='{y:.0f}' text-anchor='{anchor}' font-size='{size}' font-weight='{weight}'"
        f" fill='#333'>{escape(text)}</text>"
    )
