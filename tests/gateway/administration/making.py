"""What the Makefile does for a target of administration, without the half second of starting make and Python twice."""

import os
import sys
import tempfile
from collections.abc import Mapping
from subprocess import CompletedProcess

from gateway import make
from tests.harness import ROOT


def forked_make(words: tuple[str, ...], environ: Mapping[str, str]) -> "CompletedProcess[str]":
    """The program behind `make WORDS`, in a copy of this process, with make's own exit status and last line."""
    [target] = [word for word in words if "=" not in word]
    typed = dict(word.split("=", 1) for word in words if "=" in word)
    environ = {**environ, **typed, "TYPED_VARIABLES": " ".join(typed), "TYPED_GOALS": target}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        if (child := os.fork()) == 0:
            status = 70
            try:
                status = _run(target, environ, out.fileno(), err.fileno())
            finally:
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        told = []
        for file in (out, err):
            file.seek(0)
            told.append(file.read().decode())
    if status:
        told[1] += f"make: *** [Makefile: {target}] Error {status}\n"
    return CompletedProcess(["make", *words], 2 if status else 0, *told)


def _run(target: str, environ: Mapping[str, str], out: int, err: int) -> int:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environ)
    status = make.main([]) or make.main([target])
    sys.stdout.flush()
    sys.stderr.flush()
    return status
