"""One gateway of several on the same database: started, killed and started again at the same address."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import psutil

from tests.harness import Server, free_port, running_gateway
from tests.waiting import eventually


class Replica:
    def __init__(self, name: str, environ: Mapping[str, str], logs: Path) -> None:
        self.name = name
        self._environ = environ
        self._logs = logs
        self._port = free_port()
        self._starts = 0
        self._running = ExitStack()
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Its address, whether it runs or not."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def server(self) -> Server:
        assert self._server, f"{self.name} is not running"
        return self._server

    def start(self) -> None:
        """Does nothing if it runs."""
        if not self._server:
            self._starts += 1
            log = self._logs / f"{self.name}-{self._starts}.log"
            self._server = self._running.enter_context(running_gateway(self._environ, log, port=self._port))

    def kill(self) -> None:
        """kill -9, and see that what it had started ends by itself."""
        family = psutil.Process(self.server.process.pid).children(recursive=True)
        self.server.process.kill()
        self.stop()
        eventually(lambda: not any(child.is_running() for child in family), "no process outlives a killed gateway")

    def stop(self) -> None:
        """The signal of `docker stop`: ends open calls, writes what was spent."""
        self._server = None
        self._running.close()
