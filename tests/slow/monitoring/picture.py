"""Makes docs/dashboard.png and the table of its figures in docs/monitoring.md, in about two minutes.

    python -m tests.slow.monitoring.picture

Grafana is not needed: each panel of the dashboard is drawn here, from what the real Prometheus answers to the panel's
own expressions while a team works at the real gateway.
"""

import json
import random
import secrets
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path

from database.local import database
from simulator.client import Simulator
from tests.harness import ROOT, Account, clean_environment, free_port, running_gateway, running_simulator
from tests.slow.monitoring import table
from tests.slow.monitoring.dashboard import Panel, panels
from tests.slow.monitoring.lines import Line, lines_of, number
from tests.slow.monitoring.prometheus import running_prometheus
from tests.slow.monitoring.work import CALL, MODELS, TOOL, UNREADABLE, Team, form_team
from tests.slow.ui.conftest import launched

PICTURE = ROOT / "docs" / "dashboard.png"
SECONDS, PER_MINUTE = 90, 120
COLUMNS, WIDTH, HEIGHT, PAD = 4, 400, 250, 14
COLOURS = ("#2e6f95", "#d1495b", "#3a7d44", "#e09f3e", "#6a4c93", "#8d99ae", "#1b998b", "#7f5539")


def work(team: Team, until: float) -> None:
    """Steady work of two agents; a rush in the second third, and StackSpot at its worst in the last."""
    chance = random.Random(1)
    scripted = threading.Lock()

    def agent(late: float, number: int) -> None:
        while (left := until - time.monotonic()) > 0:
            third = 2 - int(3 * left / SECONDS)
            if late > SECONDS - left or (number > 2 and third != 1):
                time.sleep(0.5)
                continue
            developer = team.both[number % 3 == 0]
            if chance.random() < 0.25:
                with scripted:
                    answers = [UNREADABLE, CALL] if chance.random() < 0.2 + 0.3 * (third == 2) else [CALL]
                    team.simulator.answer(*answers)
                    team.ask(developer, tools=[TOOL])
            elif chance.random() < 0.5:
                team.stream(developer)
            else:
                team.ask(developer, chance.choice(MODELS))
            time.sleep(chance.uniform(0.2, 1))

    with ThreadPoolExecutor(16) as pool:
        agents = [pool.submit(agent, number / 3, number) for number in range(12)]
        while (left := until - time.monotonic()) > 0:
            if left < SECONDS / 4:
                team.simulator.faults(
                    {"status": 503, "times": 2}, {"status": 429, "times": 1}, {"status": 403, "times": 1}
                )
            if chance.random() < 0.3:
                team.refused()
            time.sleep(min(8, left))
        for one in agents:
            one.result()


def svg(found: list[tuple[Panel, list[Line]]], start: float, end: float) -> str:
    rows = -(-len(found) // COLUMNS)
    drawn = [
        f"<g transform='translate({place % COLUMNS * WIDTH},{place // COLUMNS * HEIGHT})'>"
        f"{_panel(panel, lines, start, end)}</g>"
        for place, (panel, lines) in enumerate(found)
    ]
    size = f"width='{COLUMNS * WIDTH}' height='{rows * HEIGHT}'"
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' {size} font-family='DejaVu Sans, Arial, sans-serif'>"
        f"<rect width='100%' height='100%' fill='#f4f5f5'/>{''.join(drawn)}</svg>"
    )


def _panel(panel: Panel, lines: list[Line], start: float, end: float) -> str:
    top = max((line.highest for line in lines), default=1) * 1.05 or 1
    left, right, upper, lower = 58, WIDTH - 20, 42, HEIGHT - 74
    parts = [
        f"<rect x='4' y='4' width='{WIDTH - 8}' height='{HEIGHT - 8}' rx='3' fill='white' stroke='#ddd'/>",
        _text(PAD, 24, panel.title, 13, weight=600),
    ]
    for step in range(4):
        y = lower - (lower - upper) * step / 3
        parts.append(f"<line x1='{left}' x2='{right}' y1='{y:.0f}' y2='{y:.0f}' stroke='#e8e8e8'/>")
        parts.append(_text(left - 6, y + 4, number(top * step / 3, panel.unit), 10, "end"))
    for place, line in enumerate(lines[: len(COLOURS)]):
        path = " ".join(
            f"{left + (right - left) * (at - start) / (end - start):.1f},{lower - (lower - upper) * value / top:.1f}"
            for at, value in line.points
        )
        colour = COLOURS[place]
        parts.append(f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='1.6'/>")
        x, y = PAD + place % 2 * (WIDTH / 2 - PAD), lower + 18 + place // 2 * 13
        parts.append(f"<rect x='{x}' y='{y - 5}' width='12' height='3' fill='{colour}'/>")
        parts.append(_text(x + 16, y, line.legend[:32], 9.5))
    return "".join(parts)


def _text(x: float, y: float, text: str, size: float, anchor: str = "start", weight: int = 400) -> str:
    return (
        f"<text x='{x:.0f}' y='{y:.0f}' text-anchor='{anchor}' font-size='{size}' font-weight='{weight}'"
        f" fill='#333'>{escape(text)}</text>"
    )


def draw(found: list[tuple[Panel, list[Line]]], start: float, end: float) -> None:
    drawing = svg(found, start, end)
    with launched() as browser:
        page = browser.new_page(viewport={"width": COLUMNS * WIDTH, "height": -(-len(found) // COLUMNS) * HEIGHT})
        page.set_content(f"<body style='margin:0'>{drawing}</body>")
        page.screenshot(path=PICTURE)


def main() -> None:
    account, port = Account.new(), free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with (
            running_simulator(account, folder / "simulator.log") as upstream,
            database(ROOT, clean_environment({}), folder / "postgres") as variables,
        ):
            environ = {**account.for_gateway(upstream.url), **variables, "LITELLM_SALT_KEY": secrets.token_urlsafe(24)}
            environ |= {"STACKSPOT_REQUESTS_PER_MINUTE": str(PER_MINUTE), "STACKSPOT_BURST": "1"}
            environ |= {"PROMETHEUS_METRICS_PORT": str(port), "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics")}
            with (
                running_gateway(environ, folder / "gateway.log", cold=True) as gateway,
                Simulator(upstream.url) as simulator,
                running_prometheus(port, folder / "prometheus") as prometheus,
            ):
                simulator.faults(first_byte_delay=0.4, delta_delay=0.02)
                team = form_team(gateway, simulator)
                start = time.time()
                work(team, time.monotonic() + SECONDS)
                begin, end = start + 10, time.time()
                found = [(panel, lines_of(panel, prometheus, begin, end)) for panel in panels()]
                table.write(found)
                draw(found, begin, end)
                print(json.dumps(team.statuses))
    print(f"Wrote {PICTURE.relative_to(ROOT)}, and its table into {table.PAGE.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
