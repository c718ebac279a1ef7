"""Starts the embedded Postgres again when it ends while it is used: killed, or out of memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from database.postgres import PostgresError, Server

LOOK_SECONDS = 1.0
AGAIN_SECONDS = 10.0  # after a start that failed, of a full disk, say


@contextmanager
def kept_running(server: Server, tell: Callable[[str], None]) -> Iterator[None]:
    """While the block lasts; `tell` is given a line each time, and one when it cannot be started."""
    over = threading.Event()

    def look() -> None:
        failed = False
        while not over.wait(AGAIN_SECONDS if failed else LOOK_SECONDS):
            try:
                if server.revive():
                    tell("Postgres had ended; it runs again.")
                failed = False
            except (PostgresError, OSError) as error:
                if not failed:
                    tell(f"Postgres has ended and does not start: {str(error).splitlines()[0]} (its log: {server.log})")
                failed = True

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
