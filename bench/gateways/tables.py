"""The tables of docs/benchmarks.md, made from the figures that are kept."""

from collections.abc import Sequence
from pathlib import Path

from bench import page as pages
from bench.gateways.phases import BESIDE, IDLE, KEYED, LIMIT, STOCK, THEM, TWICE, US
from bench.gateways.picture import RATES, RATIOS
from bench.gateways.results import Results, shown, table
from bench.gateways.targets import targets


def parts(results: Results) -> dict[str, str]:
    """By the names of their marks."""
    return {
        "about": about(results),
        "targets": targets(results),
        "ours": picture(RATIOS, "This gateway to LiteLLM's built-in provider: ratios with their spread")
        + ours(results),
        "everybody": picture(RATES, "Answers a second at 16 clients, plain and streamed") + everybody(results),
        "database": part(results, "database", (US + KEYED, THEM + KEYED, STOCK + KEYED, US)),
        "workers": part(results, "workers", (US + TWICE, THEM + TWICE, US)),
        "beside": beside(results),
        "starts": starts(results),
    }


def page(results: Results) -> None:
    pages.write(parts(results))


def picture(file: Path, told: str) -> str:
    """A picture that has been drawn: without Chromium there is none."""
    return f"![{told}]({file.name})\n\n" if file.exists() else ""


def about(results: Results) -> str:
    said = results.about
    versions = ", ".join(f"{name} {version}" for name, version in said["versions"].items())
    rows = [
        ["Command", f"`{said['command']}`, {said.get('minutes', 0):.0f} minutes on {said['date']}"],
        ["Machine", f"{said['machine']}; load when it began {said['load']:.2f}"],
        ["Versions", versions],
        ["Limit of the load generator and the simulator", f"the column `{LIMIT}` below"],
    ]
    return table(["", ""], [*rows, *(["Left out", sentence] for sentence in left_out(results.left_out))])


def left_out(notes: Sequence[str]) -> list[str]:
    """A sentence for each contestant and mistake; where it was made with several kinds of requests, how many."""
    found: dict[tuple[str, str], list[str]] = {}
    for note in notes:
        what, _, mistake = note.partition(": ")
        name, _, cell = what.partition(", ")
        found.setdefault((name, mistake), []).append(cell)
    sentences = []
    for (name, mistake), cells in found.items():
        more = f" and {len(cells) - 1} kinds more" if len(cells) > 1 else ""
        sentences.append(f"{name}{', ' + cells[0] if cells[0] else ''}{more}: {mistake}".replace("|", "/"))
    return sentences


def ours(results: Results) -> str:
    """Ours to the built-in provider: the ratios, and behind them what ours was."""
    rows = []
    for cell in results.rounds.get("core", {}):
        ratios = [results.ratio("core", cell, US, THEM, figure) for figure in ("rate", "first", "total", "cpu")]
        rate, first = (results.median("core", cell, US, figure) for figure in ("rate", "first"))
        deltas = results.deltas.get(cell, {})
        pieces = f"{deltas[US]}, {deltas[THEM]}" if {US, THEM} <= deltas.keys() else "-"
        absolute = [shown(rate, "{:.1f}".format), shown(first, _ms), pieces]
        rows.append([cell, *(str(ratio) if ratio else "-" for ratio in ratios), *absolute])
    return table(
        [
            "Request",
            "Answers a second",
            "First text",
            "Whole answer",
            "CPU",
            "Ours a second",
            "Ours, first text",
            "Pieces of ours, of built-in",
        ],
        rows,
    )


def everybody(results: Results) -> str:
    """Answers a second, and CPU of each request, of everybody."""
    core = results.rounds.get("core", {})
    names = list(dict.fromkeys(name for cell in core.values() for name in cell))
    rows = []
    for cell in core:
        line = [cell]
        for name in names:
            rate, cpu = (results.median("core", cell, name, figure) for figure in ("rate", "cpu"))
            line.append(shown(rate, "{:.0f}".format) + ("" if cpu is None else f" ({_ms(cpu)})"))
        rows.append(line)
    return table(["Request", *names], rows)


def part(results: Results, name: str, names: Sequence[str]) -> str:
    """Answers a second, first text and CPU of some, as ratios to the last of `names` and as they are."""
    rows = []
    for cell in results.rounds.get(name, {}):
        for one in names:
            ratios = [results.ratio(name, cell, one, names[-1], figure) for figure in ("rate", "first", "cpu")]
            values = [results.median(name, cell, one, figure) for figure in ("rate", "first", "cpu")]
            forms = ("{:.1f}".format, _ms, _ms)
            absolute = [shown(value, form) for value, form in zip(values, forms, strict=True)]
            rows.append([cell, one, *(f"{ratio.median:.2f}" if ratio else "-" for ratio in ratios), *absolute])
    to = f"to {names[-1]}"
    head = ["Request", "Who", f"Answers a second, {to}", f"First text, {to}", f"CPU, {to}"]
    return table([*head, "Answers a second", "First text", "CPU a request"], rows)


def beside(results: Results) -> str:
    found = results.rounds.get("beside", {})
    rows = []
    for name in found.get(IDLE, {}):
        ratio = _beside_ratio(results, name)
        values = [shown(results.median("beside", state, name, "p95"), _ms) for state in (IDLE, BESIDE)]
        rows.append([name, ratio, *values])
    return table(["Who", "Ratio", "Idle", "Beside large prompts"], rows)


def _beside_ratio(results: Results, name: str) -> str:
    idle, busy = (results.median("beside", state, name, "p95") for state in (IDLE, BESIDE))
    return "-" if not idle or not busy else f"{busy / idle:.2f}"


def starts(results: Results) -> str:
    rows = []
    for name in dict.fromkeys([*results.starts, *results.memory]):
        seconds, memory = results.starts.get(name), results.memory.get(name)
        took = (
            "-"
            if not seconds
            else f"{sorted(seconds)[len(seconds) // 2]:.1f} s ({min(seconds):.1f} to {max(seconds):.1f})"
        )
        before = "-" if memory is None or not memory.start else f"{memory.start:.0f} MB"
        rows.append([name, took, before, "-" if memory is None else f"{memory.after:.0f} MB"])
    return table(["Who", "Start to ready", "Memory when ready", "Memory after work"], rows)


def _ms(seconds: float) -> str:
    milliseconds = 1000 * seconds
    return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"
