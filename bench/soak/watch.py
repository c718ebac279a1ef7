"""What a gateway holds: memory, open files, threads and tasks, sampled while it works and looked at while it rests."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.harness import Server

SECONDS = 1.0
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Sample:
    """`seconds` since the soak began; `memory` in MB, of the proxy's own process."""

    seconds: float
    memory: float
    files: int
    threads: int
    tasks: int


class Watch:
    """Samples until `end`, in a thread."""

    def __init__(self, gateway: Server, tasks: Path) -> None:
        self.started = time.monotonic()
        self.samples: list[Sample] = []
        self._process = psutil.Process(gateway.process.pid)
        self._tasks = tasks
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def now(self) -> Sample:
        with self._process.oneshot():
            memory = self._process.memory_info().rss / MEGABYTE
        return Sample(
            time.monotonic() - self.started,
            memory,
            self._process.num_fds(),
            self._process.num_threads(),
            int(self._tasks.read_text()) if self._tasks.exists() else 0,
        )

    def end(self) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(SECONDS):
            try:
                self.samples.append(self.now())
            except psutil.NoSuchProcess:
                return
