"""Contestants, and the rounds in which they take turns."""

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from bench.gateways.cells import Cell, answer
from bench.gateways.load import Found, Job, Loader
from bench.gateways.proxies import MOCK
from bench.gateways.results import Results, Round, percentile
from bench.processes import Use, use
from simulator.client import Simulator


@dataclass(frozen=True)
class Contestant:
    """Somebody who answers chat requests. `pid` is None where the processes' cost says nothing."""

    name: str
    url: str
    headers: Mapping[str, str]
    model: str
    pid: int | None = None
    seconds: float = 0.0  # of a round, where it differs: the fast ones need less
    lacks: set[Cell] = field(
        default_factory=set
    )  # what it has answered wrongly: it is left out there, and that is said

    def job(self, cell: Cell, seconds: float, most: int = 20_000) -> Job:
        model = f"{MOCK}-{cell.deltas}" if self.model == MOCK else self.model
        before, after = cell.body(model)
        url = f"{self.url}/v1/chat/completions"
        return Job(url, self.headers, before, after, cell.clients, seconds, most, cell.stream)


@dataclass
class Contest:
    """One run's tools: who asks, where StackSpot's pace is set, and where figures go."""

    loader: Loader
    simulator: Simulator
    results: Results
    seconds: float

    def warm_up(self, contestants: Sequence[Contestant], cells: Sequence[Cell]) -> None:
        """Shows that each answers each cell with the very text, and does what only a first request costs."""
        for contestant in contestants:
            for cell in cells:
                mistake, deltas = self._try(contestant, cell)
                if mistake:
                    self._leave_out(contestant, cell, mistake)
                elif cell.stream:
                    self.results.deltas.setdefault(cell.name, {})[contestant.name] = deltas
            if contestant.pid is not None:
                answered = {cell.stream for cell in cells if cell not in contestant.lacks}
                for stream in sorted(answered):
                    self._ask(contestant, Cell(4, stream), self.seconds)

    def _leave_out(self, contestant: Contestant, cell: Cell, mistake: str) -> None:
        contestant.lacks.add(cell)
        note(self.results, f"{contestant.name}, {cell.name}: {mistake}")

    def rounds(
        self,
        part: str,
        cells: Sequence[Cell],
        contestants: Sequence[Contestant],
        counts: Callable[[Contestant], int],
        longest: float = float("inf"),
    ) -> None:
        """As many rounds for each as `counts` says; who begins changes with each round.

        After `longest` seconds no further round begins, so that a slow machine comes to an end as well.
        """
        end = time.monotonic() + longest
        for number in range(max(map(counts, contestants))):
            if number and time.monotonic() > end:
                break
            for cell in cells:
                taking = [each for each in contestants if number < counts(each) and cell not in each.lacks]
                at = number % max(len(taking), 1)
                for contestant in (*taking[at:], *taking[:at]):
                    if one := self.measure(contestant, cell):
                        self.results.add(part, cell.name, contestant.name, one)
            print(f"{part}: round {number + 1}", file=sys.stderr, flush=True)

    def measure(self, contestant: Contestant, cell: Cell) -> Round | None:
        """One round. After a wrong answer it is done again; after a second one the contestant is left out there."""
        found = Found()
        for _ in range(2):
            before = _use(contestant)
            found = self._ask(contestant, cell, min(contestant.seconds or self.seconds, self.seconds))
            after = _use(contestant)
            if not found.mistake:
                cpu = None if before is None or after is None else (after.cpu - before.cpu) / len(found.total)
                return figures(found, cpu)
        self._leave_out(contestant, cell, found.mistake)
        return None

    def _ask(self, contestant: Contestant, cell: Cell, seconds: float) -> Found:
        with self._paced(cell):
            return self.loader.run(contestant.job(cell, seconds))

    @contextmanager
    def _paced(self, cell: Cell) -> Iterator[None]:
        """StackSpot takes its time within the block, for both of its APIs, if the cell wants that."""
        for target in (None, "key") if cell.pace else ():
            self.simulator.faults(target=target, delta_delay=cell.pace)
        yield
        if cell.pace:
            self.simulator.no_faults()

    def _try(self, contestant: Contestant, cell: Cell) -> tuple[str, int]:
        """What is wrong with an answer, and in how many pieces its text came."""
        job = contestant.job(cell, 0)
        headers = {**job.headers, "Content-Type": "application/json"}
        with self._paced(cell):
            response = httpx.post(job.url, content=f"{job.before}0{job.after}", headers=headers, timeout=120)
        if response.status_code != 200:
            return f"{response.status_code} {' '.join(response.text[:200].split())}", 0
        pieces = list(_pieces(response.text)) if cell.stream else [_content(response.json(), "message")]
        right = "".join(pieces) == "".join(answer(cell.deltas))
        return ("" if right else f"answered {''.join(pieces)[:80]!r}"), len(pieces)


def figures(found: Found, cpu: float | None) -> Round:
    first, total = statistics.median(found.first), statistics.median(found.total)
    return Round(found.rate, first, total, percentile(found.total, 0.95), cpu, len(found.total))


def note(results: Results, text: str) -> None:
    print(text, file=sys.stderr, flush=True)
    results.left_out.append(text)


def _use(contestant: Contestant) -> Use | None:
    return None if contestant.pid is None else use(contestant.pid)


def _pieces(text: str) -> list[str]:
    events = [line.removeprefix("data:").strip() for line in text.splitlines() if line.startswith("data:")]
    found = [_content(json.loads(event), "delta") for event in events if event != "[DONE]"]
    return [piece for piece in found if piece]


def _content(body: dict[str, list[dict[str, dict[str, str | None]]]], of: str) -> str:
    choices = body.get("choices") or []
    return (choices[0].get(of, {}).get("content") or "") if choices else ""
