"""Who asks: coding agents, each one request after the other with its developer's key, and somebody else."""

import asyncio
import itertools
import random
import re
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.sharing.team import Scale, Team
from tests.developers import Developer
from tests.gateway.calling import CHAT, PATHS, read
from tests.harness import AGENTS

MODEL = "stackspot-ai-code"
QUEUED = "x-stackspot-queue-seconds"
TAG = re.compile(r"request ([\w-]+/\d+)")
CLIENT_SECONDS = 240


@dataclass(slots=True)
class Outcome:
    """What became of one request. `tag` stands in its prompt, and so in the simulator's log and in the answer."""

    developer: Developer
    tag: str
    gateway: int
    started: float
    ended: float = 0.0
    status: int | None = None  # None: the connection broke
    answered: bool = False  # to the end, and with its own answer
    tokens: int = 0
    queued: float | None = None
    retry_after: float | None = None
    error: str = ""

    @property
    def told_when(self) -> bool:
        """Refused with the time to come back: in the head, or in a stream that had begun with signs of life."""
        if self.status == 200:
            return "try again in " in self.error
        return self.status == 429 and self.retry_after is not None

    @property
    def fine(self) -> bool:
        return self.answered or self.told_when

    @property
    def unknown_key(self) -> bool:
        """LiteLLM could not look the key up in time: a slow machine's database, asked for 300 new keys at once."""
        return self.status == 503 and "database is temporarily unreachable" in self.error


@dataclass
class Crew:
    """Asks `team`, and keeps what became of each request."""

    team: Team
    outcomes: list[Outcome] = field(default_factory=list)
    started: float = 0.0
    _down: set[int] = field(default_factory=set)
    _turns: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def scale(self) -> Scale:
        return self.team.scale

    async def run(self, agents: Sequence[tuple[Developer, int]], *meanwhile: Coroutine[Any, Any, None]) -> None:
        """`agents`: how many each developer has. All work for as long as the scale says, and finish what they began."""
        self.started = time.monotonic()
        async with connection() as http, asyncio.TaskGroup() as tasks:
            number = 0
            for developer, count in agents:
                for _ in range(count):
                    number += 1
                    tasks.create_task(self._work(http, developer, number))
            for task in meanwhile:
                tasks.create_task(task)

    async def until(self, part: float) -> None:
        """Sleeps until this part of the time is over."""
        await asyncio.sleep(self.started + part * self.scale.seconds - time.monotonic())

    async def ask(self, http: httpx.AsyncClient, developer: Developer, *, stream: bool = False) -> Outcome:
        """One request, to the gateway whose turn it is."""
        number = next(self._turns)
        standing = [place for place in range(len(self.team.replicas)) if place not in self._down]
        place = standing[number % len(standing)]
        outcome = Outcome(developer, f"{developer.name}/{number}", place, time.monotonic())
        self.outcomes.append(outcome)
        body: dict[str, Any] = {
            "model": MODEL,
            "stream": stream,
            "messages": [{"role": "user", "content": f"What does this module do? This is request {outcome.tag}"}],
        }
        if stream:
            body["stream_options"] = {"include_usage": True}
        url = self.team.replicas[place].url + PATHS[CHAT]
        try:
            response = await http.post(url, json=body, headers={"Authorization": f"Bearer {developer.key}"})
            self._read(outcome, response)
        except (httpx.HTTPError, ValueError) as error:
            outcome.error = type(error).__name__
            if isinstance(error, httpx.ConnectError) and len(standing) > 1:
                self._down.add(place)  # as a load balancer does
        outcome.ended = time.monotonic()
        return outcome

    def _read(self, outcome: Outcome, response: httpx.Response) -> None:
        outcome.status, reply = response.status_code, read(CHAT, response)
        if (queued := response.headers.get(QUEUED)) is not None:
            outcome.queued = float(queued)
        if (seconds := response.headers.get("retry-after")) is not None:
            outcome.retry_after = float(seconds)
        if reply.failure:
            outcome.error = f"{reply.status} {reply.failure.message}"
            return
        outcome.tokens = sum((reply.usage or {}).values())
        outcome.answered = outcome.tag in reply.text and reply.finish == "stop" and outcome.tokens > 0
        if not outcome.answered:
            outcome.error = f"{reply.status}, but not the answer to {outcome.tag}"

    async def _work(self, http: httpx.AsyncClient, developer: Developer, number: int) -> None:
        chance = random.Random(f"{self.scale.seed}/{number}")  # noqa: S311 - think times
        await asyncio.sleep(chance.uniform(0, self.scale.think_seconds[1]))
        while time.monotonic() < self.started + self.scale.seconds:
            await self.ask(http, developer, stream=number % 2 == 0)
            await asyncio.sleep(chance.uniform(*self.scale.think_seconds))


def connection() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=CLIENT_SECONDS, trust_env=False, limits=httpx.Limits(max_connections=None))


async def somebody_else(crew: Crew, part: float) -> None:
    """Uses so much of the account beside the gateway: at once as much as a whole window, then evenly."""
    team, scale = crew.team, crew.scale
    account, url = team.account, team.simulator.url
    async with connection() as http, asyncio.TaskGroup() as tasks:
        grant = {"grant_type": "client_credentials", "client_id": account.client_id}
        grant["client_secret"] = account.client_secret
        token = (await http.post(f"{url}/{account.realm}/oidc/oauth/token", data=grant)).json()["access_token"]

        async def ask() -> None:
            await http.post(
                f"{url}/v1/agent/{AGENTS[MODEL]}/chat",
                json={"user_prompt": "Somebody else asks.", "streaming": False},
                headers={"Authorization": f"Bearer {token}"},
            )

        for _ in range(round(part * scale.limit)):
            tasks.create_task(ask())
        while time.monotonic() < crew.started + scale.seconds:
            await asyncio.sleep(60 / (part * scale.per_minute))
            tasks.create_task(ask())
