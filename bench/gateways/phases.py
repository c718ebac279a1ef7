"""What is measured, in which order. Nothing else runs meanwhile but what is measured and what asks it."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import psycopg

from bench.gateways.cells import CORE, TWO, Cell
from bench.gateways.contest import Contest, Contestant, figures, note
from bench.gateways.load import Loader
from bench.gateways.others import OTHERS, UnavailableError, running
from bench.gateways.proxies import BUILT_IN, MOCK, OURS, TWO_WORKERS, Proxies, Started, virtual_key
from bench.gateways.results import Memory
from bench.processes import use
from database.local import database
from database.postgres import Server as Postgres
from gateway.environment import clean_environment
from gateway.failures import GatewayError
from gateway.project import ROOT

# Names of contestants. Ours, the built-in provider and the mock are models of one proxy.
US, THEM, FLOOR, STOCK, LIMIT = "ours", "built-in", "mock", "stock proxy", "simulator itself"
KEYED, TWICE = ", database", ", two workers"
IDLE, BESIDE = "idle", "beside prompts of 100,000 tokens"
SMALL, LARGE = Cell(2, False), Cell(2, False, prompt="100,000 tokens")


@dataclass(frozen=True)
class Scale:
    """How much is measured: rounds of ours and the built-in provider, of the rest, of the parts; and starts."""

    rounds: int = 9
    rest: int = 2
    parts: int = 4
    starts: int = 3
    seconds: float = 1.5
    longest: float = 500.0  # seconds after which no further round of the core begins
    warm: int = 300  # requests before memory is looked at again
    cells: tuple[Cell, ...] = CORE
    two: tuple[Cell, ...] = TWO


QUICK = Scale(2, 1, 1, 1, 1.0, 60, 100, tuple(cell for cell in CORE if cell.clients > 1))


@dataclass(frozen=True)
class Phases:
    contest: Contest
    scale: Scale
    proxies: Proxies

    @property
    def folder(self) -> Path:
        return self.proxies.folder

    def run(self, second: Loader, *, others: bool = True, database: bool = True, workers: bool = True) -> None:
        """`second` sends the large prompts beside small ones."""
        with ExitStack() as stack:
            started = self._starts(stack, "", {}, self.scale.starts)
            self._remember(started)
            bundle = self._models(started[US])
            self._core(stack, bundle, started[STOCK], others=others)
            self._beside(bundle, second)
            for wanted, part in ((database, self._database), (workers, self._workers)):
                try:
                    if wanted:
                        part(bundle[0])
                except (
                    GatewayError,
                    httpx.HTTPError,
                    psycopg.Error,
                ) as error:  # what was measured so far is worth keeping
                    note(self.contest.results, str(error).partition("\n")[0])

    def _starts(
        self, stack: ExitStack, suffix: str, environs: Mapping[str, Mapping[str, str]], count: int
    ) -> dict[str, Started]:
        """From a cold start, one at a time, in turns; those of the last turn stay."""
        found = {}
        for number in range(max(count, 1)):
            last = number == max(count, 1) - 1
            for name in (US, STOCK) if number % 2 == 0 else (STOCK, US):
                with ExitStack() as alone:
                    config = self.proxies.bundle() if name == US else self.proxies.stock()
                    place = f"{name}{suffix}".replace(", ", "-").replace(" ", "-")
                    one = self.proxies.running(place, config, environ=environs.get(name), stock=name == STOCK)
                    found[name] = (stack if last else alone).enter_context(one)
                    if count:
                        self.contest.results.starts.setdefault(name + suffix, []).append(found[name].seconds)
        return found

    def _remember(self, started: Mapping[str, Started]) -> None:
        for name, model in ((US, OURS), (STOCK, BUILT_IN)):
            one = started[name]
            before, contestant = use(one.server.process.pid), _at(name, one, model)
            answers = 0
            for stream in (False, True):
                job = contestant.job(Cell(16, stream), 60, self.scale.warm // 2)
                answers += len(self.contest.loader.run(job).total)  # a mistake shows in the number
            after = use(one.server.process.pid)
            self.contest.results.memory[name] = Memory(before.megabytes, after.megabytes, answers)

    def _models(self, started: Started, suffix: str = "", key: str = "") -> list[Contestant]:
        return [_at(name + suffix, started, model, key) for name, model in ((US, OURS), (THEM, BUILT_IN))]

    def _core(self, stack: ExitStack, bundle: Sequence[Contestant], stock: Started, *, others: bool) -> None:
        upstream, account = self.proxies.upstream, self.proxies.account
        mock = Contestant(FLOOR, bundle[0].url, bundle[0].headers, MOCK, bundle[0].pid, seconds=1.0)
        rest = [mock, replace(_at(STOCK, stock, BUILT_IN), seconds=1.0)]
        limit = Contestant(LIMIT, upstream, {"Authorization": f"Bearer {account.api_key}"}, OURS, seconds=1.0)
        rest.append(limit)
        for gateway in OTHERS if others else ():
            try:
                there = stack.enter_context(running(gateway, self.folder, upstream, account))
            except UnavailableError as error:
                note(self.contest.results, str(error))
                continue
            self.contest.results.starts[gateway.name] = [there.seconds]
            rest.append(Contestant(gateway.name, there.url, there.headers, OURS, there.pid, seconds=1.0))
        everyone = [*bundle, *rest]
        self.contest.warm_up(everyone, self.scale.cells)
        self.contest.rounds(
            "core",
            self.scale.cells,
            everyone,
            lambda each: self.scale.rounds if each in bundle else self.scale.rest,
            self.scale.longest,
        )
        for each in everyone[4:]:
            if each.pid is not None:
                self.contest.results.memory[each.name] = Memory(0, use(each.pid).megabytes, 0)

    def _beside(self, bundle: Sequence[Contestant], second: Loader) -> None:
        for number in range(self.scale.parts):
            for contestant in bundle[:: 1 if number % 2 == 0 else -1]:
                for state in (IDLE, BESIDE):
                    seconds = 2 * self.scale.seconds
                    if state == BESIDE:
                        second.begin(contestant.job(LARGE, seconds + 1))
                        time.sleep(0.5)
                    found = self.contest.loader.run(contestant.job(SMALL, seconds))
                    large = second.found() if state == BESIDE else found
                    if found.mistake or large.mistake:
                        note(self.contest.results, f"{contestant.name}, {state}: {found.mistake or large.mistake}")
                        continue
                    self.contest.results.add("beside", state, contestant.name, figures(found, None))

    def _database(self, without: Contestant) -> None:
        """Each proxy with a database of its own, asked with a virtual key."""
        with ExitStack() as stack:
            environs = stack.enter_context(databases(self.folder / "postgres"))
            self._migrate(environs)
            started = self._starts(stack, KEYED, environs, min(self.scale.starts - 1, 1))
            keys = {name: virtual_key(one.server) for name, one in started.items()}
            contestants = [
                *self._models(started[US], KEYED, keys[US]),
                _at(STOCK + KEYED, started[STOCK], BUILT_IN, keys[STOCK]),
                without,
            ]
            self._part("database", contestants)

    def _migrate(self, environs: Mapping[str, Mapping[str, str]]) -> None:
        """The first start makes the tables, which no later one has to."""

        for name in environs:
            config = self.proxies.bundle() if name == US else self.proxies.stock()
            place = f"{name.split()[0]}-first"
            with self.proxies.running(place, config, environ=environs[name], stock=name == STOCK):
                pass

    def _workers(self, one: Contestant) -> None:
        environ = {"PROMETHEUS_MULTIPROC_DIR": str(self.folder / "metrics")}
        with self.proxies.running("workers", self.proxies.bundle(), *TWO_WORKERS, environ=environ) as started:
            contestants = self._models(started, TWICE)
            self._part("workers", [*contestants, one])
            after = use(started.server.process.pid).megabytes
            self.contest.results.memory[US + TWICE] = Memory(0, after, 0)

    def _part(self, part: str, contestants: Sequence[Contestant]) -> None:
        self.contest.warm_up(contestants, self.scale.two)
        self.contest.rounds(part, self.scale.two, contestants, lambda _: self.scale.parts)


def _at(name: str, started: Started, model: str, key: str = "") -> Contestant:
    server = started.server
    return Contestant(name, server.url, {"Authorization": f"Bearer {key or server.key}"}, model, server.process.pid)


@contextmanager
def databases(data: Path) -> Iterator[dict[str, dict[str, str]]]:
    """Variables for two proxies, on one embedded Postgres."""
    with database(ROOT, clean_environment({}), data) as variables:
        with psycopg.connect(variables["DATABASE_URL"], autocommit=True) as connection:
            connection.execute("CREATE DATABASE stock")
        other = {**variables, "DATABASE_URL": Postgres(data).url("stock")}
        salt = {"LITELLM_SALT_KEY": "sk-made-up-for-the-benchmark"}
        yield {US: {**variables, **salt}, STOCK: {**other, **salt}}
