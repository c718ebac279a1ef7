"""The developers of a soak: each asks, reads, thinks and asks again, in legs with a rest after each."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from bench.sharing.audit import tag_of
from bench.soak.mix import KINDS, Kind, choose, prepare
from bench.soak.watch import Sample, Watch
from simulator.client import Simulator
from tests.developers import Developer
from tests.gateway.calling import PATHS, read
from tests.harness import Server

CLIENT_SECONDS = 120
THINK_SECONDS = (0.0, 0.6)
AGENTS_EACH = 2
REST_SECONDS = 3.0  # then what was asked has been logged, and the connections that nobody uses are closed


@dataclass(slots=True)
class Outcome:
    """What became of one request; `mistake` says what was wrong with it."""

    tag: str
    developer: Developer
    kind: str
    began: float
    first: float = 0.0
    ended: float = 0.0
    tokens: int = 0
    mistake: str = ""


@dataclass
class Received:
    """What StackSpot was asked, and said that it used, by the tag in the prompt."""

    answers: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)


@dataclass
class Soak:
    """Everything that was seen. `rests` has a sample for each leg, taken when nothing was asked for some seconds."""

    gateway: Server
    simulator: Simulator
    developers: Sequence[Developer]
    watch: Watch
    seed: int
    outcomes: list[Outcome] = field(default_factory=list)
    rests: list[Sample] = field(default_factory=list)
    open_streams: list[int] = field(default_factory=list)
    received: Received = field(default_factory=Received)

    def run(self, requests: int, legs: int) -> None:
        for leg in range(legs):
            prepare(self.simulator, leg)
            asyncio.run(self._leg(leg, requests // legs))
            self._collect()

    async def _leg(self, leg: int, requests: int) -> None:
        left = iter(range(requests))
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(timeout=CLIENT_SECONDS, trust_env=False, limits=limits) as http:

            async def work(developer: Developer, agent: int) -> None:
                chance = random.Random(f"{self.seed}/{leg}/{developer.name[:6]}/{agent}")  # noqa: S311 - a mix, no secret
                for number in left:
                    await self._ask(http, developer, f"leg{leg}/{number}", choose(chance))
                    await asyncio.sleep(chance.uniform(*THINK_SECONDS))

            async with asyncio.TaskGroup() as tasks:
                for developer in self.developers:
                    for agent in range(AGENTS_EACH):
                        tasks.create_task(work(developer, agent))
        await asyncio.sleep(REST_SECONDS)
        async with httpx.AsyncClient(timeout=CLIENT_SECONDS, trust_env=False) as http:
            await self._ask(http, self.developers[0], f"rest{leg}/0", "chat")
            await asyncio.sleep(REST_SECONDS / 3)
        self.rests.append(self.watch.now())

    async def _ask(self, http: httpx.AsyncClient, developer: Developer, tag: str, name: str) -> None:
        kind = KINDS[name]
        outcome = Outcome(tag, developer, name, time.monotonic())
        self.outcomes.append(outcome)
        url, headers = self.gateway.url + PATHS[kind.route], {"Authorization": f"Bearer {developer.key}"}
        parts: list[bytes] = []
        try:
            async with http.stream("POST", url, json=kind.body(tag), headers=headers) as response:
                async for part in response.aiter_raw():
                    outcome.first = outcome.first or time.monotonic()
                    parts.append(part)
            kept = {"content-type": response.headers.get("content-type", "")}
            self._read(outcome, kind, httpx.Response(response.status_code, headers=kept, content=b"".join(parts)))
        except (httpx.HTTPError, ValueError, AssertionError, KeyError) as error:
            outcome.mistake = f"{type(error).__name__}: {error}"
        outcome.ended = time.monotonic()

    def _read(self, outcome: Outcome, kind: Kind, response: httpx.Response) -> None:
        reply = read(kind.route, response)
        if not kind.ends_well(reply, outcome.tag):
            outcome.mistake = f"status {reply.status}: {reply.raw[-300:]}"
        elif kind.answered:
            outcome.tokens = sum((reply.usage or {}).values())

    def _collect(self) -> None:
        """What StackSpot saw of a leg; its log is emptied, as it would hold all prompts."""
        self.open_streams.append(self.simulator.state()["open_streams"])
        answers, tokens = self.received.answers, self.received.tokens
        for record in self.simulator.requests("/v1/agent/"):
            if tag := tag_of(record):
                answers[tag] = answers.get(tag, 0) + bool(record["complete"] and record["usage"])
                tokens[tag] = tokens.get(tag, 0) + sum((record["usage"] or {}).values())
        self.simulator.clear()
