"""Draws what commands really printed, as a terminal shows it."""

from dataclasses import dataclass
from html import escape
from pathlib import Path

from tests.slow.ui.conftest import launched

_STYLE = """
body { margin: 0; background: #0d1117 }
pre { margin: 0; padding: 18px 22px; color: #c9d1d9; font: 15px/1.45 "DejaVu Sans Mono", monospace; width: max-content }
b { color: #7ee787; font-weight: normal }
"""


@dataclass(frozen=True)
class Command:
    """What was typed, and what came of it."""

    typed: str
    printed: str


def draw(commands: list[Command], picture: Path, *, most_columns: int = 118) -> None:
    """Writes `picture`, a PNG. Longer lines go on in the next one."""
    shown = []
    for command in commands:
        lines = [line for text in command.printed.strip("\n").splitlines() for line in _wrapped(text, most_columns)]
        shown.append("\n".join((f"<b>$ {escape(command.typed)}</b>", *map(escape, lines))))
    joined = "\n\n".join(shown)
    with launched() as browser:
        page = browser.new_page(viewport={"width": 1200, "height": 200}, device_scale_factor=1)
        page.set_content(f"<style>{_STYLE}</style><pre>{joined}</pre>")
        page.locator("pre").screenshot(path=picture)


def _wrapped(text: str, most: int) -> list[str]:
    return [text[start : start + most] for start in range(0, len(text), most)] or [""]
