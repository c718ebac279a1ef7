"""A process that imports the stock proxy once and then forks a gateway for each line that it reads.

Importing LiteLLM costs some 30 s of CPU on a slow machine, its 34,465 database types included; a fork costs none of it.
Spoken to over standard input and output, one JSON object a line: `{"start": {"arguments", "environ", "cwd", "log"}}`
answers `{"pid"}`, or `{"cold"}` with the variables that the import has read with another value, so that a fork would
not be the process that was asked for, or `{"stale"}` where LiteLLM's database client was not there yet when it was
imported; `{"poll": pid}` answers `{"status"}`, null while it runs. All that it started ends with it.
"""

import ctypes
import json
import os
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

_PR_SET_PDEATHSIG = 1
# Read at import as well, but looked at again whenever they matter.
_LATE = {"PATH", "PYTHONUNBUFFERED"}


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what an import prints is no answer
    with _recorded() as read:
        from litellm.proxy import proxy_cli, proxy_server  # noqa: F401

        try:
            import prisma.client  # noqa: F401
        except ImportError:  # not generated yet, and not needed without a database
            generated = False
        else:
            generated = True
    at_import = {name: os.environ.get(name) for name in read - _LATE}
    statuses: dict[int, int] = {}
    for line in sys.stdin:
        asked: dict[str, Any] = json.loads(line)
        answer: dict[str, Any]
        if "poll" in asked:
            answer = {"status": _status(asked["poll"], statuses)}
        else:
            environ = asked["start"]["environ"]
            cold = sorted(name for name, value in at_import.items() if environ.get(name) != value)
            if cold:
                answer = {"cold": cold}
            elif "DATABASE_URL" in environ and not generated:
                answer = {"stale": True}
            else:
                answer = {"pid": _fork(**asked["start"])}
        print(json.dumps(answer), file=answers, flush=True)


@contextmanager
def _recorded() -> Iterator[set[str]]:
    """The names of all variables that are read within the block."""
    kind: Any = type(os.environ)
    names: set[str] = set()
    original = kind.__getitem__, kind.__contains__

    def get(self: Any, name: str) -> Any:
        names.add(name)
        return original[0](self, name)

    def contains(self: Any, name: object) -> bool:
        names.add(str(name))
        return bool(original[1](self, name))

    kind.__getitem__, kind.__contains__ = get, contains
    try:
        yield names
    finally:
        kind.__getitem__, kind.__contains__ = original


def _fork(arguments: list[str], environ: dict[str, str], cwd: str, log: str) -> int:
    parent = os.getpid()
    if pid := os.fork():
        return pid
    status = 0
    try:
        _become_gateway(parent, arguments, environ, cwd, log)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    with suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def _become_gateway(parent: int, arguments: list[str], environ: dict[str, str], cwd: str, log: str) -> NoReturn:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, output), (2, output)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(cwd)
    sys.argv = ["litellm", *arguments]
    from litellm.proxy.proxy_cli import run_server

    run_server()
    sys.exit(0)


def _status(pid: int, statuses: dict[int, int]) -> int | None:
    """As subprocess has it: the exit status, or minus the number of the signal that ended it."""
    if pid not in statuses:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended:
            return None
        statuses[pid] = os.waitstatus_to_exitcode(status)
    return statuses[pid]


if __name__ == "__main__":
    main()
