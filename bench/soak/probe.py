"""A callback that tells how many tasks the proxy's event loop has. Only the soak's configuration names it."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from bench.soak.probe_file import FILE_VARIABLE

SECONDS = 0.2


class _Tasks(CustomLogger):
    def __init__(self) -> None:
        super().__init__()
        self._file = Path(os.environ[FILE_VARIABLE])
        self._written = 0.0

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        if time.monotonic() - self._written > SECONDS:
            self._written = time.monotonic()
            unread = self._file.with_suffix(".new")
            unread.write_text(str(len(asyncio.all_tasks())))
            unread.replace(self._file)  # whoever reads meanwhile finds the old number, not half a new one


tasks = _Tasks()
