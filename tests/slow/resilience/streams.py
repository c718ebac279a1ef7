"""Developers who have a stream answered, one after the other, and what became of each."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from tests.developers import Developer
from tests.harness import Server
from tests.waiting import eventually

MOST = 300  # streams a developer
LAST_WORDS = "Is there anything else?"


@dataclass(frozen=True)
class Stream:
    """`error` is what a client sees of a stream that did not come to its end; empty for a whole one."""

    status: int | None
    text: str
    error: str = ""

    @property
    def whole(self) -> bool:
        return self.status == 200 and not self.error


def listen(gateway: Server, developer: Developer, question: str = "why") -> Stream:
    body = {"model": "stackspot", "stream": True, "messages": [{"role": "user", "content": question}]}
    headers = {"Authorization": f"Bearer {developer.key}"}
    status, text, done = None, "", False
    try:
        with (
            httpx.Client(base_url=gateway.url, headers=headers, timeout=60, trust_env=False) as client,
            client.stream("POST", "/v1/chat/completions", json=body) as answer,
        ):
            status = answer.status_code
            if status != 200:
                return Stream(status, answer.read().decode(), f"status {status}")
            for line in answer.iter_lines():
                done = done or line == "data: [DONE]"
                if line.startswith("data: {"):
                    chunk = json.loads(line.removeprefix("data: "))
                    if "error" in chunk:
                        return Stream(status, text, f"an error in the stream: {chunk['error']}")
                    text += "".join(choice["delta"].get("content") or "" for choice in chunk["choices"])
    except httpx.TransportError as error:
        return Stream(status, text, repr(error))
    return Stream(status, text, "" if done and text.endswith(LAST_WORDS) else "cut, and nothing said so")


class Listeners:
    def __init__(self, gateway: Server, developers: Sequence[Developer]) -> None:
        self.streams: list[Stream] = []
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(gateway, developer)) for developer in developers]
        for thread in self._threads:
            thread.start()

    def _run(self, gateway: Server, developer: Developer) -> None:
        for _ in range(MOST):
            if self._stopping.is_set():
                return
            self.streams.append(listen(gateway, developer))

    def go_on(self, whole: int) -> None:
        """Returns when so many more streams have come to their end."""
        wanted = sum(stream.whole for stream in self.streams) + whole
        eventually(
            lambda: sum(stream.whole for stream in self.streams) >= wanted,
            f"{whole} more streams: {self.broken()[-3:]}",
        )

    def broken(self) -> list[Stream]:
        return [stream for stream in self.streams if not stream.whole]

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive(), "a stream has no end"


@contextmanager
def listening(gateway: Server, developers: Sequence[Developer]) -> Iterator[Listeners]:
    """They listen while the block runs; what became of their streams can be looked at afterwards."""
    listeners = Listeners(gateway, developers)
    try:
        yield listeners
    finally:
        listeners.stop()
