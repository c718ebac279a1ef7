"""A service that sends without end or measure: one clear error, while every other request goes on."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from simulator.client import Simulator
from tests.gateway.calling import Caller
from tests.harness import Server

# Generous: the machine that runs the tests has other work. Before there were bounds it was 7 to 123 s.
MOST_SECONDS = 5.0
MEGABYTE = 1024 * 1024
TOO_LONG = "too long"
FLOODS: dict[str, tuple[dict[str, Any], str]] = {
    "lines without a blank one": ({"flood": "lines", "flood_bytes": 9 * MEGABYTE}, "too many lines"),
    "comments": ({"flood": "comments", "flood_bytes": 80 * MEGABYTE}, TOO_LONG),
    "a line of 64 MB": ({"flood": "line", "flood_bytes": 64 * MEGABYTE}, "too large"),
    "a delta of 50 MB": ({"flood": "delta", "flood_bytes": 50 * MEGABYTE}, "too large"),
}


@pytest.fixture
def caller(gateway: Server) -> Caller:
    return Caller(gateway, ())


@contextmanager
def watching(caller: Caller) -> Iterator[list[float]]:
    """Asks the gateway for a sign of life, over and over; the seconds that each took."""
    waits: list[float] = []
    done = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=caller.server.url, timeout=120, trust_env=False) as client:
            while not (done.is_set() and waits):
                started = time.monotonic()
                client.get("/health/liveliness")
                waits.append(time.monotonic() - started)
                time.sleep(0.01)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield waits
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("flood", FLOODS)
def test_others_go_on(caller: Caller, simulator: Simulator, flood: str, stream: bool) -> None:
    faults, message = FLOODS[flood]
    simulator.faults(**faults)
    with watching(caller) as waits:
        reply = caller.ask(stream=stream)
    assert reply.failure
    assert message in reply.failure.message
    assert max(waits) < MOST_SECONDS
    assert len(simulator.requests("/v1/agent/")) == 1
    simulator.no_faults()
    assert caller.ask().finish == "stop"


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("flood", ["delta", "tiny"])
def test_a_long_answer_ends_at_max_tokens(caller: Caller, simulator: Simulator, flood: str, stream: bool) -> None:
    simulator.faults(flood=flood, flood_bytes=3 * MEGABYTE)
    with watching(caller) as waits:
        reply = caller.ask(stream=stream, max_tokens=100)
    assert reply.finish == "length"
    assert 50 <= len(reply.text.split()) <= 100
    assert max(waits) < MOST_SECONDS


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_brackets_without_end_are_no_object(caller: Caller, simulator: Simulator, stream: bool) -> None:
    simulator.faults(flood="nested", flood_bytes=3 * MEGABYTE)
    assert caller.ask(stream=stream).finish == "stop"
