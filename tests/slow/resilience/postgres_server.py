"""The embedded Postgres, stopped and started under the gateway's feet as an administrator's restart does."""

import signal
from pathlib import Path

import psutil

from database.postgres import Server


def stop(data: Path) -> None:
    """Ends the server and all connections at once (Postgres's fast shutdown)."""
    process = psutil.Process(int((data / "postmaster.pid").read_text().split()[0]))
    assert Path(process.cwd()) == data.resolve(), "a stale pid file names a stranger"
    process.send_signal(signal.SIGINT)
    process.wait(60)


def start(data: Path) -> None:
    """Starts it again; whoever opened it first still closes it."""
    with Server(data).running():
        pass
