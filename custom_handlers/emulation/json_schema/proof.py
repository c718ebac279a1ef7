"""Whether a value fits a schema, decided in a process of its own: an expensive check would hold up every other request.

A thread does not help, since the check holds the interpreter. The process is ended after some seconds, or when the
caller is gone; it knows no variable of the gateway's environment, and what it cannot decide counts as fitting.
"""

import asyncio
import json
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import orjson

from custom_handlers.emulation.json_schema.budget import Budget, BudgetExceededError
from custom_handlers.emulation.json_schema.drafts import SchemaTooComplexError
from custom_handlers.emulation.json_schema.schema import Schema

_SECONDS = 5.0
_STEPS = 20_000_000
_LONGEST_PATTERN = 100_000
_SECONDS_IN_ALL = 15.0  # with the time that others take before it
_AT_ONCE = 2
_MEMORY = 1 << 30
_STACK = 128 << 20
_DEEPEST = 20_000
_ROOT = Path(__file__).parents[3]
_NEEDED = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "SYSTEMROOT")

_slots: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


async def prove(schema: Any, value: Any) -> str | None:
    """Why `value` does not fit `schema`, in words for the model. None: it fits, or that could not be decided."""
    try:
        question = _question(schema, value)
    except (TypeError, ValueError, RecursionError):
        return None
    slots = _slots.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_AT_ONCE))
    with suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS_IN_ALL), slots:
            return await _asked(question)
    return None


async def _asked(question: bytes) -> str | None:
    environment = {name: os.environ[name] for name in _NEEDED if name in os.environ}
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            __name__,
            cwd=_ROOT,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(_SECONDS):
            output, _ = await process.communicate(question)
        found = json.loads(output)
    except (TimeoutError, ValueError):
        return None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return found if isinstance(found, str) else None


def _question(schema: Any, value: Any) -> bytes:
    try:
        return orjson.dumps([schema, value])
    except TypeError:  # numbers of more than 64 bits, half characters, deep nesting
        return json.dumps([schema, value]).encode()


def main() -> None:
    """Reads a schema and a value, and writes what is wrong with the value, or null."""
    import resource  # only here: in-process users on Windows have none

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    # Should the gateway be killed meanwhile, nobody else ends this process.
    resource.setrlimit(resource.RLIMIT_CPU, (int(_SECONDS) + 1, int(_SECONDS) + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.stack_size(_STACK)
    sys.setrecursionlimit(_DEEPEST)
    _in_thread(_answer)


def _answer() -> None:
    schema, value = json.loads(sys.stdin.buffer.read())
    budget = Budget(_STEPS, _SECONDS, _LONGEST_PATTERN)
    with suppress(BudgetExceededError, SchemaTooComplexError):
        sys.stdout.write(json.dumps(Schema(schema).check(value, budget)))


def _in_thread(work: Callable[[], None]) -> None:
    """Only a thread's stack can be given a size."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


if __name__ == "__main__":
    main()
