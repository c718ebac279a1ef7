"""A gateway whose log the tests read, and a fault of its own that they can bring about."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

from tests.harness import Server

FAULTY_USER = "who-meets-a-fault"
FAULT = "words of the fault"
# What LiteLLM loads beside the guard: in some part of it something fails that nobody has thought of.
FAULTY_CALLBACK = f'''
from litellm.integrations.custom_logger import CustomLogger


class Faulty(CustomLogger):
    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        if data.get("user") == "{FAULTY_USER}":
            raise LookupError("{FAULT}")
        return data


faulty = Faulty()
'''


class Log:
    """What a gateway logs from here on."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._begin = len(server.output())

    def text(self) -> str:
        return self._server.output()[self._begin :]

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text().splitlines() if line.startswith("{")]

    def failures(self) -> list[dict[str, Any]]:
        return [record for record in self.records() if record.get("level") in ("WARNING", "ERROR", "CRITICAL")]

    def wait(self, wanted: Callable[["Log"], bool], seconds: float = 20) -> "Log":
        """The log once `wanted` holds: what is logged about a request may come after its answer."""
        until = time.monotonic() + seconds
        while not wanted(self):
            assert time.monotonic() < until, self.text()
            time.sleep(0.05)
        return self


def answered(number: int) -> Callable[[Log], bool]:
    """Whether the server has logged so many answers."""
    return lambda log: len(re.findall(r'HTTP/1\.1\\" \d{3}', log.text())) >= number
