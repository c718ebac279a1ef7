"""What is to be reached, as ratios within one run, and what was reached."""

import re
import statistics
from collections.abc import Callable
from dataclasses import dataclass

from bench.gateways.phases import BESIDE, IDLE, STOCK, THEM, US
from bench.gateways.results import Results, table


@dataclass(frozen=True)
class Target:
    """`values`: by what they belong to; the worst of them counts."""

    name: str
    limit: float
    least: bool  # whether the limit is the least, or the most
    values: Callable[[Results], dict[str, float]]
    form: str = "{:.2f}"

    def row(self, results: Results) -> list[str]:
        wanted = ("≥ " if self.least else "≤ ") + f"{self.limit:g}"
        found = self.values(results)
        if not found:
            return [self.name, wanted, "not measured", "-"]
        worst = (min if self.least else max)(found.values())
        reached = worst >= self.limit if self.least else worst <= self.limit
        several = len(found) > 1
        said = ", ".join((f"{name}: " if several else "") + self.form.format(value) for name, value in found.items())
        return [self.name, wanted, said, "yes" if reached else "no"]


def targets(results: Results) -> str:
    head = ["Ours to the built-in provider, if nothing else is said", "To reach", "Measured", "Reached"]
    return table(head, [target.row(results) for target in TARGETS])


def _core(pattern: str, figure: str) -> Callable[[Results], dict[str, float]]:
    """The ratios of the cells whose names fit, by the number of clients or, of one kind, by the kind."""

    def values(results: Results) -> dict[str, float]:
        found = {}
        for cell in results.rounds.get("core", {}):
            if fitting := re.fullmatch(pattern, cell):
                ratio = results.ratio("core", cell, US, THEM, figure)
                if ratio:
                    found[fitting[1]] = ratio.median
        return found

    return values


def _beside(results: Results) -> dict[str, float]:
    idle, busy = (results.median("beside", state, US, "p95") for state in (IDLE, BESIDE))
    return {US: busy / idle} if idle and busy else {}


def _start(suffix: str) -> Callable[[Results], dict[str, float]]:
    def values(results: Results) -> dict[str, float]:
        ours, stock = (results.starts.get(name + suffix) for name in (US, STOCK))
        return {US: statistics.median(ours) / statistics.median(stock)} if ours and stock else {}

    return values


def _memory(results: Results) -> dict[str, float]:
    ours, stock = (results.memory.get(name) for name in (US, STOCK))
    return {US: ours.after / stock.after} if ours and stock else {}


def _emulation(name: str) -> Callable[[Results], dict[str, float]]:
    return lambda results: {name: results.emulation[name]} if name in results.emulation else {}


SMALL, STREAM = r"plain, (\d+ clients?)", r"stream of 20, (\d+ clients?)"
TOOLS, LONG = (rf"(plain|stream of 20), {prompt}, \d+ clients" for prompt in ("230 KB and 36 tools", "100,000 tokens"))
TARGETS = (
    Target("answers a second, plain", 1.05, True, _core(SMALL, "rate")),
    Target("answers a second, streamed", 1.5, True, _core(STREAM, "rate")),
    Target("first text, plain", 1.0, False, _core(SMALL, "first")),
    Target("first text, streamed", 1.0, False, _core(STREAM, "first")),
    Target("whole answer, 230 KB with 36 tools", 1.1, False, _core(TOOLS, "total")),
    Target("whole answer, 100,000 tokens", 1.1, False, _core(LONG, "total")),
    Target("p95 of small requests beside prompts of 100,000 tokens, to idle", 1.5, False, _beside),
    Target("start to ready, to the stock proxy", 1.0, False, _start("")),
    Target("memory after work, to the stock proxy", 1.05, False, _memory),
    Target("CPU of 36 tools in 230 KB, ms", 10, False, _emulation("tools_ms"), "{:.1f}"),
    Target("parser, MB/s of a whole answer", 20, True, _emulation("parser_whole"), "{:.0f}"),
    Target("parser, MB/s in pieces of 4 characters", 10, True, _emulation("parser_pieces"), "{:.1f}"),
)
