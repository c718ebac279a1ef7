"""A process that imports the stock proxy once and then forks a gateway for each that it is asked for.

Importing LiteLLM costs some 15 s of CPU on a slow machine; a fork costs none of it.
It listens at the Unix socket that its first argument names and imports when the first client comes: until then it
costs nothing. One JSON object a line: `{"start": {"arguments", "environ", "cwd", "log"}}` answers `{"pid"}` (with a
`"program"` as well, that Python text runs in the gateway's place), or `{"cold"}` with the variables that the import has
read with another value, so that a fork would not be the process that was asked for, or `{"stale"}` where LiteLLM's
database client was not there yet when it was imported; `{"poll": pid}` answers `{"status"}`, null while it runs. What
it started for a client ends with the client's connection; it ends with the process that its second argument names, and
everything with it.
"""

import ctypes
import importlib.util
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

_PR_SET_PDEATHSIG = 1
# Read at import as well, but looked at again whenever they matter.
_LATE = {"PATH", "PYTHONUNBUFFERED"}
_DEFAULTS = {"LITELLM_LOG": "DEBUG"}  # what the import takes where it is not set; the proxy looks at it again


def main() -> None:
    _die_with(int(sys.argv[2]))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen(64)
    select.select([listener], [], [])
    os.dup2(2, 1)  # what an import prints is no answer
    with _recorded() as read:
        _starting().import_proxy()

        try:
            import prisma.client  # noqa: F401
        except ImportError:  # not generated yet, and not needed without a database
            generated = False
        else:
            generated = True
    at_import = {name: _or_default(os.environ, name) for name in read - _LATE}
    Forker(listener, at_import, generated).serve()


def _starting() -> Any:
    """How the gateway's own command imports LiteLLM. By its path: a gateway may have another `custom_handlers`."""
    path = Path(__file__).resolve().parent.parent / "custom_handlers" / "litellm_adapter" / "starting.py"
    spec = importlib.util.spec_from_file_location("starting", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Forker:
    """Answers in the one thread that forks: a child is told of the end of the thread that it comes from."""

    def __init__(self, listener: socket.socket, at_import: dict[str, str | None], generated: bool) -> None:
        self._listener = listener
        self._at_import = at_import
        self._generated = generated
        self._clients: dict[socket.socket, list[int]] = {}  # with what each had started
        self._statuses: dict[int, int] = {}

    def serve(self) -> NoReturn:
        while True:
            ready, _, _ = select.select([self._listener, *self._clients], [], [])
            for one in ready:
                if one is self._listener:
                    self._clients[self._listener.accept()[0]] = []
                elif not self._serve(one):
                    self._forget(one)

    def _serve(self, client: socket.socket) -> bool:
        """Answers one line; whether there was one."""
        line = b""
        with suppress(OSError):  # the client has ended
            while not line.endswith(b"\n") and (piece := client.recv(65536)):
                line += piece
            if line.endswith(b"\n"):
                client.sendall(json.dumps(self._answer(client, json.loads(line))).encode() + b"\n")
                return True
        return False

    def _forget(self, client: socket.socket) -> None:
        for pid in self._clients.pop(client):
            if self._status(pid) is None:
                os.kill(pid, signal.SIGKILL)
        client.close()

    def _answer(self, client: socket.socket, asked: dict[str, Any]) -> dict[str, Any]:
        if "poll" in asked:
            return {"status": self._status(asked["poll"])}
        environ = asked["start"]["environ"]
        cold = [name for name, value in self._at_import.items() if _or_default(environ, name) != value]
        if cold:
            return {"cold": cold}
        if "DATABASE_URL" in environ and not self._generated:
            return {"stale": True}
        pid = self._fork(**asked["start"])
        self._clients[client].append(pid)
        return {"pid": pid}

    def _fork(self, arguments: list[str], environ: dict[str, str], cwd: str, log: str, program: str = "") -> int:
        parent = os.getpid()
        if pid := os.fork():
            return pid
        status = 0
        try:
            for inherited in (self._listener, *self._clients):
                inherited.close()
            _become(parent, environ, cwd, log)
            _run_program(program) if program else _run_gateway(arguments)
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except BaseException:
            traceback.print_exc()
            status = 1
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)

    def _status(self, pid: int) -> int | None:
        """As subprocess has it: the exit status, or minus the number of the signal that ended it."""
        if pid not in self._statuses:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                return None
            self._statuses[pid] = os.waitstatus_to_exitcode(status)
        return self._statuses[pid]


def _or_default(environ: Mapping[str, str], name: str) -> str | None:
    return environ.get(name, _DEFAULTS.get(name))


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


def _die_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _become(parent: int, environ: dict[str, str], cwd: str, log: str) -> None:
    _die_with(parent)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, nothing), (1, output), (2, output)):
        os.dup2(source, target)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(cwd)


def _run_program(program: str) -> None:
    sys.argv = ["-c"]
    exec(compile(program, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - a text of the tests' own


def _run_gateway(arguments: list[str]) -> None:
    _starting().run(arguments)


if __name__ == "__main__":
    main()
