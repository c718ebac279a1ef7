"""The file that LiteLLM loads as a callback: `callbacks: [custom_handlers.request_guard.request_guard]`.

LiteLLM executes it by its path, like stackspot.py: it makes its package importable, and inside the proxy it puts the
guard in front of LiteLLM's app.
"""

import asyncio
import sys
from pathlib import Path

_root = str(Path(__file__).resolve().parent.parent)
if _root not in sys.path:
    sys.path.insert(0, _root)

from custom_handlers import garbage, proxy_start, stackspot_config  # noqa: E402
from custom_handlers.guard import installation  # noqa: E402
from custom_handlers.guard.hook import RequestGuard  # noqa: E402

request_guard = RequestGuard()
if proxy_start.event_under_way():
    stackspot_config.configure_proxy()
    try:
        installation.install_in_proxy(stackspot_config.current().limits)
    except installation.NotInstalledError as error:
        if proxy_start.under_way():
            proxy_start.end(str(error))
        raise
    garbage.take_over(asyncio.get_running_loop())
