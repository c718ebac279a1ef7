"""The file that LiteLLM loads as a callback: `callbacks: [custom_handlers.request_guard.request_guard]`.

LiteLLM executes it by its path, like stackspot.py: it makes its package importable, and inside the proxy it puts the
guard in front of LiteLLM's app.
"""

import asyncio
import logging
import sys
from pathlib import Path

_root = str(Path(__file__).resolve().parent.parent)
if _root not in sys.path:
    sys.path.insert(0, _root)

from custom_handlers import stackspot_config  # noqa: E402
from custom_handlers.guard import access_log, connections, installation  # noqa: E402
from custom_handlers.handler import stackspot_llm  # noqa: E402
from custom_handlers.litellm_adapter import (  # noqa: E402
    clock,
    garbage,
    inline_calls,
    kept_spend,
    logs,
    process,
    repeated_work,
    unread_metrics,
    unread_work,
)
from custom_handlers.litellm_adapter.hook import RequestGuard  # noqa: E402

# How long a thread may keep the others waiting. Long prompts are read in threads, so that the loop answers others
# meanwhile; with Python's 5 ms it waited that long each time it had let go of the interpreter, and they for it.
SWITCH_SECONDS = 0.0005


def _access_log(*, on: bool) -> access_log.AccessLog | None:
    if not on:
        return None
    logs.log_like_litellm(access_log.logger, logging.INFO)
    return access_log.AccessLog()


request_guard = RequestGuard()
if process.event_under_way():
    stackspot_config.configure_proxy()
    settings = stackspot_config.current()
    try:
        installation.install_in_proxy(
            settings.limits,
            installation.memory_of(settings),
            mask_personal_data=settings.mask_personal_data,
            default_prices=settings.default_prices,
            log=_access_log(on=settings.access_log),
        )
    except installation.NotInstalledError as error:
        if process.under_way():
            process.end(str(error))
        raise
    if settings.traces:
        from custom_handlers.litellm_adapter import traces  # OpenTelemetry is not needed otherwise

        traces.start()
    from custom_handlers.litellm_adapter import caller_route, forget_route, pace_route  # LiteLLM's app is there now

    if process.shares_metrics():
        from custom_handlers import metrics  # after LiteLLM has said where workers share their numbers

        metrics.start(stackspot_llm.paces)
    else:
        # LiteLLM is about to add the callback: it reads the list in which the guard stands.
        asyncio.get_running_loop().call_soon(unread_metrics.leave_out)
    caller_route.add(process.app())
    pace_route.add(process.app(), stackspot_llm.paces)
    forget_route.add(process.app(), process.database)
    garbage.take_over(asyncio.get_running_loop())
    sys.setswitchinterval(SWITCH_SECONDS)
    clock.watch(asyncio.get_running_loop())
    kept_spend.keep()
    unread_work.leave_out()
    repeated_work.remember()
    inline_calls.prepare_inline(asyncio.get_running_loop())
    connections.allow_many()
    connections.close_silent()
