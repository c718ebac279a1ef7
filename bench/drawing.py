"""Small parts of drawings, and Chromium that turns a drawing into a PNG."""

from collections.abc import Iterable
from html import escape
from pathlib import Path

from tests.slow.ui.conftest import launched, program

GREY, BLUE, RED, GREEN = "#999999", "#2e6f95", "#d1495b", "#4f9d69"


def text(x: float, y: float, words: str, anchor: str = "start", size: int = 12, weight: int = 400) -> str:
    return (
        f"<text x='{x:.0f}' y='{y:.0f}' text-anchor='{anchor}' font-size='{size}' font-weight='{weight}'"
        f" fill='#333'>{escape(words)}</text>"
    )


def line(x1: float, y1: float, x2: float, y2: float, colour: str = "#ddd", width: float = 1) -> str:
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' stroke-width='{width}'/>"


def dot(x: float, y: float, colour: str) -> str:
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4.5' fill='{colour}'/>"


def bar(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f"<rect x='{x:.1f}' y='{y:.1f}' width='{max(width, 1):.1f}' height='{height:.1f}' fill='{colour}'/>"


def svg(width: int, height: int, parts: Iterable[str]) -> str:
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}'"
        f" font-family='DejaVu Sans, Arial, sans-serif'><rect width='100%' height='100%' fill='white'/>"
        f"{''.join(parts)}</svg>"
    )


def save(drawing: str, width: int, height: int, path: Path) -> None:
    """Writes the PNG, or says in one line that there is no Chromium."""
    if program() is None:
        print(f"{path.name} is not drawn: Chromium is not there.")
        return
    with launched() as browser:
        page = browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=2)
        page.set_content(f"<body style='margin:0'>{drawing}</body>")
        page.screenshot(path=path)
