"""The health check of the Docker stack: ready is a gateway that has its database. One that hangs is ended.

Docker leaves an unhealthy container as it is, and starts again one that has ended. A gateway hangs when it takes
connections and answers nothing, check after check: a busy one answers late, and its streams would end with it.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

ANSWER_SECONDS = 8.0  # of each of two questions: together less than the `timeout` of docker-compose.yml
MOST_SILENT = 6  # checks in a row: two minutes, as for the livenessProbe of the chart


def main(arguments: Sequence[str] | None = None) -> int:
    """0 for a gateway that is ready, else 1 and a sentence, which `docker inspect` shows."""
    parser = argparse.ArgumentParser(prog="python3 -m gateway.health", description="Ask whether the gateway is ready.")
    parser.add_argument("--url", default="http://127.0.0.1:4000")
    parser.add_argument("--seconds", type=float, default=ANSWER_SECONDS)
    parser.add_argument("--init", type=int, default=1, help="whose child the gateway is")
    parser.add_argument("--counter", type=Path, default=Path("/tmp/gateway-silent"))  # noqa: S108 - the container's own
    given = parser.parse_args(arguments)
    mistake = check(given.url, given.seconds, given.init, given.counter)
    if mistake:
        print(mistake)
    return 1 if mistake else 0


def check(url: str, seconds: float, init: int, counter: Path) -> str | None:
    """What is wrong, if anything."""
    try:
        _ask(f"{url}/health/liveliness", seconds)
    except OSError as error:
        if not _is_silence(error):
            counter.unlink(missing_ok=True)
            return f"The gateway does not listen: {type(error).__name__}."
        return _silent(counter, init)
    counter.unlink(missing_ok=True)
    try:
        state = json.loads(_ask(f"{url}/health/readiness", seconds))
    except (OSError, ValueError) as error:
        return f"The gateway is not ready: {type(error).__name__}."
    return None if state.get("db") == "connected" else "The gateway has no database."


def _ask(address: str, seconds: float) -> bytes:
    with urllib.request.urlopen(address, timeout=seconds) as answer:  # noqa: S310 - http, on loopback
        body: bytes = answer.read()
    return body


def _is_silence(error: OSError) -> bool:
    return isinstance(error, TimeoutError) or isinstance(getattr(error, "reason", None), TimeoutError)


def _silent(counter: Path, init: int) -> str:
    """Counts the checks without an answer; the last one ends the gateway."""
    times = len(counter.read_text()) + 1 if counter.exists() else 1
    if times < MOST_SILENT:
        counter.write_text("." * times)
        return f"The gateway does not answer: {times} of {MOST_SILENT} checks, then it is ended."
    counter.unlink(missing_ok=True)
    for pid in children(init):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return f"The gateway has not answered {MOST_SILENT} checks in a row: it is ended, and Docker starts it again."


def children(parent: int) -> list[int]:
    """The processes that `parent` has started; without psutil, which the image does not have."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            # Behind the name, which may hold anything: state, parent, ...
            if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent and int(entry.name):
                found.append(int(entry.name))
    return found


if __name__ == "__main__":
    sys.exit(main())
