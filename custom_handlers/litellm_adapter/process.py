"""Knows LiteLLM's own start from everything else that imports the entry, and ends it when it cannot go on.

Only a start may end processes. It is recognised by what called us, as only running code can say: LiteLLM's start event,
under a program whose work is to serve. A test that runs LiteLLM's app in its own process is neither.
"""

import multiprocessing
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

EXIT_STARTUP = 3  # uvicorn's STARTUP_FAILURE: its supervisor then stops instead of starting the worker again
_SERVER = "litellm.proxy.proxy_server"
_EVENT = (_SERVER, "proxy_startup_event")
_WORKER = ("uvicorn._subprocess", "subprocess_started")
_PROGRAMS = {_WORKER, ("litellm.proxy.proxy_cli", "run_server"), ("uvicorn.main", "main")}
_SUPERVISORS = ("litellm", "proxy_cli", "uvicorn")


def under_way() -> bool:
    """Whether the caller is loaded by a proxy that starts, in that proxy's own process."""
    callers = _callers()
    return _EVENT in callers and bool(callers & _PROGRAMS)


def event_under_way() -> bool:
    """Whether LiteLLM's app starts, under whatever server."""
    return _EVENT in _callers()


def config() -> Path | None:
    """The configuration file that the proxy was started with."""
    path = getattr(sys.modules.get(_SERVER), "user_config_file_path", None)
    return Path(path) if path else None


def database() -> Any:
    """LiteLLM's connection to its database, if it has one."""
    return getattr(getattr(sys.modules.get(_SERVER), "prisma_client", None), "db", None)


def scheduler() -> Any:
    """LiteLLM's scheduler of jobs, if it runs one."""
    return getattr(sys.modules.get(_SERVER), "scheduler", None)


def app() -> Any:
    """LiteLLM's app in this process, if any."""
    return getattr(sys.modules.get(_SERVER), "app", None)


def workers() -> int:
    """How many processes this proxy consists of."""
    _, named, rest = " ".join(sys.argv).partition(" --num_workers")
    number = rest.split()[:1] if named else [os.environ.get("NUM_WORKERS", "")]
    return int(number[0]) if number and number[0].isdecimal() and _serves(sys.argv) else 1


def shares_metrics() -> bool:
    """Whether any process reads this one's metrics: LiteLLM names the folder for them then, and for its workers."""
    return any(os.environ.get(name) for name in ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"))


def end(message: str) -> NoReturn:
    """Ends this process and, for a worker, the proxy's supervisor.

    Not by an exception: the proxy would print its traceback after the message, and its supervisor exit with 0.
    """
    print(f"\n{message}", file=sys.stderr, flush=True)
    supervisor = multiprocessing.parent_process()
    if supervisor is not None and supervisor.pid == os.getppid() and _WORKER in _callers() and _serves(sys.argv):
        os.kill(os.getppid(), signal.SIGKILL)
    os._exit(EXIT_STARTUP)


def _serves(command: list[str]) -> bool:
    """Whether a command line is LiteLLM's or uvicorn's. A worker is started with the one of its supervisor."""
    program = Path(command[0]) if command else Path()
    return (program.parent.name if program.stem == "__main__" else program.stem) in _SUPERVISORS


def _callers() -> set[tuple[str, str]]:
    """Module and function of every call under way in this thread."""
    found = set()
    frame: FrameType | None = sys._getframe()
    while frame:
        spec = frame.f_globals.get("__spec__")  # has the module's name also where it runs as __main__
        found.add((str(getattr(spec, "name", None) or frame.f_globals.get("__name__")), frame.f_code.co_name))
        frame = frame.f_back
    return found
