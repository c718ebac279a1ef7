"""Load on a gateway: each developer asks one question after the other, up to a limit, until told to stop."""

import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from tests.developers import Developer, ask
from tests.harness import Server
from tests.waiting import eventually

LONGEST = 1000  # questions a developer and gateway
PAUSE_SECONDS = 0.15
MODELS = ("stackspot", "stackspot-code", "stackspot-assistant")


@dataclass(frozen=True)
class Answer:
    id: str
    tokens: int


class Line:
    """What one developer asked one gateway, in order."""

    def __init__(self, gateway: Server, developer: Developer, stopping: threading.Event) -> None:
        self.gateway = gateway
        self.developer = developer
        self.answers: list[Answer] = []
        self.refusals: list[httpx.Response] = []
        self.broken: list[httpx.TransportError] = []
        self._stopping = stopping
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def join(self) -> None:
        self._thread.join(120)
        assert not self._thread.is_alive(), "a call to the gateway hangs"

    def _run(self) -> None:
        for number, model in zip(range(LONGEST), itertools.cycle(MODELS), strict=False):
            if self._stopping.wait(PAUSE_SECONDS):
                return
            try:
                # of differing length, so that a sum of tokens tells which answers it is made of
                response = ask(self.gateway, self.developer, "why " * (1 + number % 7), model)
            except httpx.TransportError as error:
                self.broken.append(error)
                continue
            if response.status_code != 200:
                self.refusals.append(response)
                continue
            body = response.json()
            self.answers.append(Answer(body["id"], body["usage"]["total_tokens"]))


class Load:
    def __init__(self, gateways: Sequence[Server], developers: Sequence[Developer]) -> None:
        self._stopping = threading.Event()
        self.lines = [Line(gateway, one, self._stopping) for gateway in gateways for one in developers]

    def go_on(self, answers: int = 5) -> None:
        """Returns when every line has got so many answers more."""
        wanted = [len(line.answers) + answers for line in self.lines]
        eventually(
            lambda: all(len(line.answers) >= count for line, count in zip(self.lines, wanted, strict=True)),
            f"{answers} more answers on each line: {self.refusals()[-3:]}",
        )

    def stop(self) -> None:
        self._stopping.set()
        for line in self.lines:
            line.join()

    def answers(self, developer: Developer) -> list[Answer]:
        return [answer for line in self.lines if line.developer == developer for answer in line.answers]

    def refusals(self) -> list[str]:
        return [f"{response.status_code} {response.text}" for line in self.lines for response in line.refusals]

    def broken(self) -> list[str]:
        return [repr(error) for line in self.lines for error in line.broken]


@contextmanager
def load(gateways: Sequence[Server], developers: Sequence[Developer]) -> Iterator[Load]:
    """Runs while the block does; the answers can be counted afterwards."""
    running = Load(gateways, developers)
    try:
        yield running
    finally:
        running.stop()
