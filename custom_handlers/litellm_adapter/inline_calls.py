"""LiteLLM's preparation of a call to one of our models, on the event loop in place of a thread.

`acompletion` hands each call to a thread, where `completion` only makes the coroutine that asks the handler. For us
that is a millisecond without waiting, for 1 KB as for 100,000 tokens. The thread and the loop want the interpreter at
the same time: with 16 clients that cost 8 % of a plain request's CPU and an eighth of the answers a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from custom_handlers.core.models import PROVIDER

# LiteLLM looks at each message and each tool: beyond this many a thread is worth its price.
MOST = 500
# Of a call with one of these LiteLLM may wait within `completion`: for a prompt's management, or as a mock.
_WAITS = ("prompt_id", "mock_response", "mock_tool_calls", "mock_timeout")


def prepare_inline(loop: asyncio.AbstractEventLoop) -> None:
    """From now on, for what is handed to the default executor of `loop`."""
    loop.set_default_executor(_Executor(thread_name_prefix="worker"))


class _Executor(ThreadPoolExecutor):
    def submit(self, work: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
        if not _is_ours(work):
            return super().submit(work, *given, **named)
        done: Future[Any] = Future()
        try:
            done.set_result(work(*given, **named))
        except Exception as error:
            done.set_exception(error)
        return done


def _is_ours(work: Any) -> bool:
    """Whether `work` is partial(context.run, partial(completion, ...)) of one of our models, and short."""
    call = work.args[0] if isinstance(work, partial) and work.args else None
    return isinstance(call, partial) and getattr(call.func, "__name__", "") == "completion" and _is_quick(call.keywords)


def _is_quick(asked: Mapping[str, Any]) -> bool:
    return (
        asked.get("acompletion") is True
        and str(asked.get("model")).startswith(f"{PROVIDER}/")
        and all(asked.get(name) is None for name in _WAITS)
        and all(len(asked.get(name) or ()) <= MOST for name in ("messages", "tools", "functions"))
    )
