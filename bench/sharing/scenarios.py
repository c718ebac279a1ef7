"""What goes wrong while a team shares its account."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.sharing.audit import Audit, audit
from bench.sharing.crew import Crew, connection, somebody_else
from bench.sharing.figures import Figures, figures
from bench.sharing.team import GREEDY, GREEDY_AGENTS, MODEST, MODEST_DEVELOPERS, Pacing, Place, Scale
from tests.developers import Developer

LIMITED_RPM = 5
NEWCOMERS = 300
MOST_TRIES = 6
UNKNOWN_KEY_SECONDS = 2.0  # about what SDKs wait after a 503


@dataclass(frozen=True)
class Run:
    crew: Crew
    figures: Figures
    audit: Audit


Scenario = Callable[[Place, Scale], Run]
SCENARIOS: dict[str, Scenario] = {}


def scenario(name: str) -> Callable[[Scenario], Scenario]:
    def add(run: Scenario) -> Scenario:
        SCENARIOS[name] = run
        return run

    return add


def share(place: Place, scale: Scale, pacing: Pacing) -> Run:
    """Six developers with an agent each, and one with eight: nothing goes wrong."""
    return _run(place, scale, pacing)


@scenario("others")
def others(place: Place, scale: Scale) -> Run:
    """Half of the account is used up by somebody else, from the start."""
    return _run(place, scale, _alone(scale), lambda crew: somebody_else(crew, 0.5))


@scenario("killed")
def killed(place: Place, scale: Scale) -> Run:
    """One of two replicas is killed in the middle."""

    async def kill(crew: Crew) -> None:
        await crew.until(0.5)
        await asyncio.to_thread(crew.team.replicas[1].kill)

    return _run(place, scale, _two(scale), kill, lost=1)


@scenario("redis")
def redis_away(place: Place, scale: Scale) -> Run:
    """Redis is stopped for a sixth of the time."""

    async def stop(crew: Crew) -> None:
        await crew.until(1 / 3)
        await asyncio.to_thread(crew.team.redis.kill)
        await crew.until(1 / 2)
        await asyncio.to_thread(crew.team.redis.start)

    return _run(place, scale, _two(scale), stop)


@scenario("cut")
def cut(place: Place, scale: Scale) -> Run:
    """StackSpot allows 40 % for a third of the time."""

    async def change(crew: Crew) -> None:
        await crew.until(1 / 3)
        await asyncio.to_thread(crew.team.allow, 0.4)
        await crew.until(2 / 3)
        await asyncio.to_thread(crew.team.allow)

    return _run(place, scale, _alone(scale), change)


@scenario("limited")
def limited(place: Place, scale: Scale) -> Run:
    """One more key, at a limit of its own in LiteLLM."""
    with place.team(_alone(scale), scale) as team:
        crew = Crew(team)
        crowd = [(developer, 2) for developer in team.hire(1, "limited", rpm_limit=LIMITED_RPM)]
        asyncio.run(crew.run([*_agents(crew), *crowd]))
        return _finished(crew)


@scenario("newcomers")
def newcomers(place: Place, scale: Scale) -> Run:
    """300 keys with one request each at the same second; who is refused comes back when he was told to."""
    with place.team(_alone(scale), scale) as team:
        crew = Crew(team)
        asyncio.run(_all_at_once(crew, team.hire(NEWCOMERS, "newcomer")))
        return _finished(crew)


async def _all_at_once(crew: Crew, developers: list[Developer]) -> None:
    async def come(developer: Developer) -> None:
        tries = 0
        while tries < MOST_TRIES:
            outcome = await crew.ask(http, developer)
            if outcome.unknown_key:
                await asyncio.sleep(UNKNOWN_KEY_SECONDS)
                continue
            if not outcome.told_when:
                return
            tries += 1
            await asyncio.sleep(outcome.retry_after or 1)

    async with connection() as http:
        await crew.run([], *(come(developer) for developer in developers))


def _run(
    place: Place,
    scale: Scale,
    pacing: Pacing,
    *meanwhile: Callable[[Crew], Awaitable[None]],
    lost: int | None = None,
) -> Run:
    async def go(crew: Crew) -> None:
        async def one(event: Callable[[Crew], Awaitable[None]]) -> None:
            await event(crew)

        await crew.run(_agents(crew), *(one(event) for event in meanwhile))

    with place.team(pacing, scale) as team:
        crew = Crew(team)
        asyncio.run(go(crew))
        return _finished(crew, lost)


def _agents(crew: Crew) -> list[tuple[Developer, int]]:
    modest, greedy = crew.team.hire(MODEST_DEVELOPERS, MODEST), crew.team.hire(1, GREEDY)
    return [*((developer, 1) for developer in modest), (greedy[0], GREEDY_AGENTS)]


def _alone(scale: Scale) -> Pacing:
    return Pacing(scale.per_minute)


def _two(scale: Scale) -> Pacing:
    return Pacing(scale.per_minute, replicas=2, redis=True)


def _finished(crew: Crew, lost: int | None = None) -> Run:
    return Run(crew, figures(crew), audit(crew, lost))
