"""Draws who got what over time: a panel for each run, a line for each key. Chromium turns the drawing into a PNG."""

from collections.abc import Mapping
from html import escape
from pathlib import Path

from bench.sharing.crew import Crew
from bench.sharing.figures import jain
from bench.sharing.team import GREEDY
from tests.slow.ui.conftest import launched

WIDTH, HEIGHT, GAP = 380, 300, 70
LEFT, TOP, BOTTOM = 60, 60, 60
GREEDY_COLOUR, MODEST_COLOUR = "#d1495b", "#2e6f95"


def draw(crews: Mapping[str, Crew], path: Path) -> None:
    width = LEFT + len(crews) * (WIDTH + GAP)
    height = TOP + HEIGHT + BOTTOM
    drawing = svg(crews, width, height)
    with launched() as browser:
        page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=2)
        page.set_content(f"<body style='margin:0'>{drawing}</body>")
        page.screenshot(path=path)


def svg(crews: Mapping[str, Crew], width: int, height: int) -> str:
    lines = {title: answers(crew) for title, crew in crews.items()}
    most = max((len(times) for found in lines.values() for times in found.values()), default=1)
    top = max(-(-most // 50) * 50, 50)
    panels = []
    for at, (title, crew) in enumerate(crews.items()):
        x, found, seconds = LEFT + at * (WIDTH + GAP), lines[title], crew.scale.seconds
        parts = [_text(x, TOP - 30, title, "start", 16, weight=600)]
        told = f"Jain's index {jain(len(times) for times in found.values()):.2f}"
        parts.append(_text(x + WIDTH, TOP - 30, told, "end", 13))
        for step in range(6):
            y, value = TOP + HEIGHT - step * HEIGHT / 5, step * top / 5
            parts.append(f"<line x1='{x}' x2='{x + WIDTH}' y1='{y}' y2='{y}' stroke='#ddd'/>")
            parts.append(_text(x - 8, y + 4, f"{value:.0f}", "end", 12))
        for minute in range(int(seconds // 60) + 1):
            mark = x + WIDTH * minute * 60 / seconds
            parts.append(_text(mark, TOP + HEIGHT + 20, f"{minute} min", "middle", 12))
        for name, times in sorted(found.items(), key=lambda item: item[0].startswith(GREEDY)):
            colour = GREEDY_COLOUR if name.startswith(GREEDY) else MODEST_COLOUR
            points = [(0.0, 0), *((time, count) for count, time in enumerate(times, 1)), (seconds, len(times))]
            drawn = " ".join(f"{x + WIDTH * t / seconds:.1f},{TOP + HEIGHT - HEIGHT * n / top:.1f}" for t, n in points)
            parts.append(f"<polyline points='{drawn}' fill='none' stroke='{colour}' stroke-width='2'/>")
        panels.append("".join(parts))
    legend = [
        (GREEDY_COLOUR, "the developer with eight agents"),
        (MODEST_COLOUR, "the six with one agent each"),
    ]
    y = height - 16
    panels.append(_text(LEFT, y, "Answers so far, of each key:", "start", 13))
    for at, (colour, told) in enumerate(legend):
        x = LEFT + 210 + at * 260
        panels.append(f"<rect x='{x}' y='{y - 5}' width='18' height='3' fill='{colour}'/>")
        panels.append(_text(x + 26, y, told, "start", 13))
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}'"
        f" font-family='DejaVu Sans, Arial, sans-serif'><rect width='100%' height='100%' fill='white'/>"
        f"{''.join(panels)}</svg>"
    )


def answers(crew: Crew) -> dict[str, list[float]]:
    """For each key the seconds at which its answers were there."""
    found: dict[str, list[float]] = {}
    for outcome in crew.outcomes:
        times = found.setdefault(outcome.developer.name, [])
        if outcome.answered and outcome.ended <= crew.started + crew.scale.seconds:
            times.append(outcome.ended - crew.started)
    return {name: sorted(times) for name, times in found.items()}


def _text(x: float, y: float, text: str, anchor: str, size: int, weight: int = 400) -> str:
    return (
        f"<text x='{x:.0f}' y='{y:.0f}' text-anchor='{anchor}' font-size='{size}' font-weight='{weight}'"
        f" fill='#333'>{escape(text)}</text>"
    )
