"""Asks as fast as it is answered, in a process of its own: a job a line on stdin, what was found a line on stdout.

Every answer is checked: its status, and that the text is there up to its last piece.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import count

import aiohttp
import uvloop

from bench.gateways.cells import FIRST, LAST
from gateway.environment import clean_environment
from gateway.project import ROOT

# A blank at the end of a piece may come with the next one.
_FIRST, _LAST = f'"{FIRST.strip()}'.encode(), f'{LAST}"'.encode()
_TIMEOUT = 120


@dataclass(frozen=True)
class Job:
    """Clients that ask one after the other for so many seconds, or until there were `most` answers."""

    url: str
    headers: Mapping[str, str]
    before: str
    after: str
    clients: int
    seconds: float
    most: int = 20_000
    stream: bool = False
    keys: int = 0  # so many take turns: the key is what `headers` say and a number behind it


@dataclass
class Found:
    """Seconds of each answer: to its first piece of text, and to its end."""

    seconds: float = 0.0
    first: list[float] = field(default_factory=list)
    total: list[float] = field(default_factory=list)
    mistake: str = ""
    cpu: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.total) / self.seconds


class WrongAnswerError(Exception):
    pass


async def work(job: Job) -> Found:
    found, numbers = Found(), count(1)
    before, after = job.before.encode(), job.after.encode()
    headers = {**job.headers, "Content-Type": "application/json"}
    started_cpu = time.process_time()

    async def ask(session: aiohttp.ClientSession) -> None:
        number = next(numbers)
        body = b"%b%d.%d%b" % (before, time.monotonic_ns(), number, after)
        # A stride, so that of many keys those that are used lie far apart.
        key = {"Authorization": f"{job.headers['Authorization']}{number * 7919 % job.keys}"} if job.keys else {}
        started = time.perf_counter()
        first, got = 0.0, bytearray()
        async with session.post(job.url, data=body, headers=key) as response:
            async for piece in response.content.iter_any():
                got += piece
                if not first and _FIRST in got:
                    first = time.perf_counter()
            ended = time.perf_counter()
            whole = first and _LAST in got and (not job.stream or b"[DONE]" in got)
            if response.status != 200 or not whole:
                raise WrongAnswerError(f"{response.status}: {bytes(got[:200])!r} to {bytes(got[-300:])!r}")
        found.first.append(first - started)
        found.total.append(ended - started)

    async def client(session: aiohttp.ClientSession, until: float) -> None:
        while time.perf_counter() < until and next(begun) < job.most:
            await ask(session)

    begun = count()
    connector = aiohttp.TCPConnector(limit=job.clients)
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT)
    async with aiohttp.ClientSession(headers=headers, connector=connector, timeout=timeout) as session:
        started = time.perf_counter()
        asking = [asyncio.ensure_future(client(session, started + job.seconds)) for _ in range(job.clients)]
        try:
            await asyncio.gather(*asking)
        except (WrongAnswerError, aiohttp.ClientError, TimeoutError) as error:
            found.mistake = f"{type(error).__name__} {error}"
            for each in asking:
                each.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
        found.seconds = time.perf_counter() - started
    found.cpu = time.process_time() - started_cpu
    return found


class Loader:
    """The process. `begin` returns at once, so that two can work side by side."""

    def __init__(self, running: "subprocess.Popen[str]") -> None:
        self._running = running

    def begin(self, job: Job) -> None:
        assert self._running.stdin
        self._running.stdin.write(json.dumps(asdict(job)) + "\n")
        self._running.stdin.flush()

    def found(self) -> Found:
        assert self._running.stdout
        return Found(**json.loads(self._running.stdout.readline()))

    def run(self, job: Job) -> Found:
        self.begin(job)
        return self.found()


@contextmanager
def loader() -> Iterator[Loader]:
    running = subprocess.Popen(
        [sys.executable, "-m", "bench.gateways.load"],
        cwd=ROOT,
        env=clean_environment({}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Loader(running)
    finally:
        running.kill()
        running.wait()


def main() -> None:
    for line in sys.stdin:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            print(json.dumps(asdict(runner.run(work(Job(**json.loads(line)))))), flush=True)


if __name__ == "__main__":
    main()
