"""What the proxy costs by size: CPU of all its processes for one request, from LiteLLM's door to its answer."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from bench.gateways.cells import NONCE
from bench.gateways.load import Job, Loader
from bench.gateways.proxies import OURS
from bench.growth.fit import Line
from bench.processes import use
from bench.requests import CODE, PROSE, tools, turns
from gateway.processes import Server
from simulator.client import Simulator

KEY = "sk-bench-"
# Keys as LiteLLM keeps them: the hash of what a developer has.
INSERT = """
INSERT INTO "LiteLLM_VerificationToken" (token, key_name, key_alias, models)
SELECT encode(sha256(convert_to(%s || number, 'UTF8')), 'hex'), 'sk-...', 'bench-' || number, ARRAY[]::text[]
FROM generate_series(%s::int, %s::int) AS number
"""


@dataclass(frozen=True)
class Served:
    """A running proxy, and what is used to ask it."""

    server: Server
    simulator: Simulator
    loader: Loader
    key: str

    def job(self, requests: int, clients: int = 1, stream: bool = False, keys: int = 0, **body: Any) -> Job:
        asked = {"model": OURS, "stream": stream, "messages": _said(f"Request {NONCE}."), **body}
        before, _, after = json.dumps(asked).partition(NONCE)
        headers = {"Authorization": f"Bearer {KEY if keys else self.key}"}
        url = f"{self.server.url}/v1/chat/completions"
        return Job(url, headers, before, after, clients, 120, requests, stream, keys)

    def cost(self, job: Job, *others: int) -> float:
        """CPU seconds of a request, with that of other processes (by their ids)."""
        self.loader.run(replace(job, most=min(job.clients, job.most)))
        pids = (self.server.process.pid, *others)
        before = sum(use(pid).cpu for pid in pids)
        found = self.loader.run(job)
        if found.mistake:
            raise SystemExit(found.mistake)
        return (sum(use(pid).cpu for pid in pids) - before) / len(found.total)

    def line(self, name: str, unit: str, sizes: Sequence[int], job: Callable[[int], Job]) -> Line:
        return Line(name, unit, "the proxy, a request", list(sizes), [self.cost(job(size)) for size in sizes])

    def lines(self) -> list[Line]:
        text = PROSE + CODE
        sizes = (10_000, 40_000, 160_000, 640_000)  # the last is near the models' limit of 272,000 tokens
        return [
            self.line(
                "prompt",
                "characters",
                sizes,
                lambda size: self.job(
                    _count(size, sizes), messages=_said(f"Request {NONCE}. {text * (size // len(text))}")
                ),
            ),
            self.line("tools", "tools", (8, 32, 128, 384), lambda size: self.job(20, tools=tools(size))),
            self.line(
                "history",
                "turns",
                (10, 70, 490),
                lambda size: self.job(20, messages=[*_said(f"Request {NONCE}."), *turns(size, unit=6)]),
            ),
            self._answers((100, 800, 6400)),
            self.line("clients", "clients", (1, 10, 100), lambda size: self.job(200, size)),
        ]

    def _answers(self, sizes: Sequence[int]) -> Line:
        costs = []
        for size in sizes:
            self.simulator.no_answers()
            self.simulator.rule({"pieces": ["Go ", *["and "] * (size - 2), "end"]}, pattern="")
            costs.append(self.cost(self.job(max(2000 // size, 3), stream=True)))
        self.simulator.no_answers()
        self.simulator.rule({"pieces": ["Go ", "end"]}, pattern="")
        return Line("answer", "deltas", "the proxy, a request", list(sizes), costs)

    def keys(self, sizes: Sequence[int], address: str, data: Path) -> list[Line]:
        """Requests with keys that the proxy has seen, and with ones that it has to look up; with the database's CPU."""
        postgres = int((data / "postmaster.pid").read_text().split()[0])
        known, unknown, there = [], [], 0
        for size in sizes:
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute(INSERT, (KEY, there, size - 1))
                connection.execute('ANALYZE "LiteLLM_VerificationToken"')
            there = size
            known.append(self.cost(self.job(200, 4, keys=10), postgres))
            if size > 10:
                unknown.append(self.cost(self.job(200, 4, keys=size), postgres))
        return [
            Line("keys, one of ten asks", "keys", "the proxy and Postgres, a request", list(sizes), known),
            Line("keys, another one each time", "keys", "the proxy and Postgres, a request", list(sizes[1:]), unknown),
        ]


def _said(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def _count(size: int, sizes: Sequence[int]) -> int:
    return 20 if size < sizes[-1] else 5
