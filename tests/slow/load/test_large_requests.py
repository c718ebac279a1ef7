"""What a large request costs the others: timed, so that nothing else runs beside it."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway.calling import CHAT, MESSAGES, PATHS, RESPONSES, Caller, request_body
from tests.gateway.test_guard import MB, many, tool
from tests.harness import Account, Server, running_gateway

# Seconds that another request may wait: 0.5 on a machine that does nothing else; what was wrong took from 2.3 upwards.
PATIENCE = 1.5


def long_text(route: str, text: str) -> dict[str, Any]:
    return request_body(route, prompt=text)


LARGE: dict[str, Callable[[str], dict[str, Any]]] = {
    "20 MB of words": lambda route: long_text(route, "lorem ipsum " * (19 * MB // 12)),
    "20 MB of one letter": lambda route: long_text(route, "a" * 19 * MB),
    "a million lines": lambda route: long_text(route, "=\n" * 1_000_000),
    "100,000 messages": lambda route: request_body(route, prompt=many(100_000)),
    "as many messages as may be": lambda route: request_body(route, prompt=many(2000)),
    "5,000 tools": lambda route: request_body(route) | {"tools": [tool(route, at) for at in range(5000)]},
    "as many tools as may be": lambda route: request_body(route) | {"tools": [tool(route, at) for at in range(512)]},
    "one tool of 30,000 properties": lambda route: request_body(route) | {"tools": [tool(route, 0, 30_000)]},
    "ten million numbers": lambda route: request_body(route) | {"tools": [1] * 6_000_000},
}


# What masking has to read twice and finds nothing in: the slowest texts for it.
NUMBERS = {"almost telephone numbers": "+55 ", "almost postal codes": "12345-", "almost CPFs": "123 456 789 01 "}


class Others:
    """Somebody else's requests, meanwhile: the longest that one of them took."""

    def __init__(self, server: Server) -> None:
        self.longest = 0.0
        self._server = server

    @contextmanager
    def asking(self) -> Iterator[None]:
        ended = threading.Event()
        thread = threading.Thread(target=self._ask, args=(ended,))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _ask(self, ended: threading.Event) -> None:
        with httpx.Client(base_url=self._server.url, timeout=120, trust_env=False) as http:
            while not ended.is_set():
                start = time.monotonic()
                assert http.get("/health/liveliness").status_code == 200
                self.longest = max(self.longest, time.monotonic() - start)
                time.sleep(0.02)


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("route", [CHAT, MESSAGES, RESPONSES])
def test_no_large_request_makes_others_wait(gateway: Server, route: str, name: str) -> None:
    caller = Caller(gateway, ())
    caller.ask(route)  # the first request to a route builds LiteLLM's models for it
    content = json.dumps(LARGE[name](route)).encode()
    assert len(content) <= 20 * MB
    wait_of_others(caller, PATHS[route], content)


@pytest.fixture(scope="module")
def masking_gateway(account: Account, simulator_server: Server, logs: Path) -> Iterator[Server]:
    environ = account.for_gateway(simulator_server.url) | {"STACKSPOT_MASK_PERSONAL_DATA": "true"}
    with running_gateway(environ, logs / "masking-load.log") as server:
        yield server


@pytest.mark.parametrize("name", NUMBERS)
def test_no_numbers_make_others_wait(masking_gateway: Server, name: str) -> None:
    caller = Caller(masking_gateway, ())
    caller.ask(CHAT)
    wait_of_others(caller, PATHS[CHAT], json.dumps(long_text(CHAT, NUMBERS[name] * (3 * MB // 12))).encode())


def wait_of_others(caller: Caller, path: str, content: bytes) -> None:
    waits = []
    for _ in range(2):  # the better of two: a busy machine makes everybody wait
        others = Others(caller.server)
        with others.asking():
            response = caller.post(path, content=content, timeout=120)
        assert response.status_code in (200, 400), response.text
        waits.append(others.longest)
        if waits[-1] < PATIENCE:
            break
    assert min(waits) < PATIENCE
