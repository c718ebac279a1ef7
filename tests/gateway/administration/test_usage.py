"""`make usage` against what the simulator saw: two developers, 200 calls of every kind, exact to the token."""

import csv
import io
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from custom_handlers.core.models import PRICE_PER_TOKEN
from simulator.client import Simulator
from tests.gateway.administration.conftest import Developer, Make
from tests.harness import AGENTS, WITHOUT_TLS, Server

CALLS = 100  # of each developer
FLUSH_SECONDS = 90
Tokens = tuple[int, int]


def chat(developer: Developer, text: str, model: str = "stackspot", **more: Any) -> None:
    developer.ask(text, model=model, **more)


def leave(developer: Developer, text: str) -> None:
    """Goes away after the first words."""
    body = {"model": "stackspot", "stream": True, "messages": [{"role": "user", "content": text}]}
    with developer.client() as client, client.stream("POST", "/v1/chat/completions", json=body) as response:
        for line in response.iter_lines():
            if '"content":' in line:
                return


def messages(developer: Developer, text: str, **more: Any) -> None:
    body = {"model": "stackspot", "max_tokens": 100, "messages": [{"role": "user", "content": text}], **more}
    developer.post("/v1/messages", body)


# One agent answers, one breaks off, one refuses; every tenth call is one of those that StackSpot reports no usage for.
COMPLETE: list[Callable[[Developer, str], object]] = [
    chat,
    lambda developer, text: chat(developer, text, stream=True),
    lambda developer, text: chat(developer, text, stream=True, stream_options={"include_usage": True}),
    messages,
    lambda developer, text: messages(developer, text, stream=True),
    lambda developer, text: chat(developer, text, model="stackspot-ai-chat"),
    lambda developer, text: developer.post("/v1/responses", {"model": "stackspot", "input": text}),
    lambda developer, text: developer.post("/v1/completions", {"model": "stackspot", "prompt": text}),
]
INCOMPLETE: list[Callable[[Developer, str], object]] = [
    leave,
    lambda developer, text: chat(developer, text, model="stackspot-code", stream=True),
    lambda developer, text: chat(developer, text, model="stackspot-assistant"),
]
KINDS = [*COMPLETE, *INCOMPLETE]


@dataclass(frozen=True)
class Row:
    """A line of `make usage`, as CSV has it."""

    requests: int
    failed: int
    read: int
    written: int
    tokens: int
    spend: float


def usage(make: Make) -> dict[str, Row]:
    run = make("usage", "FORMAT=csv")
    assert run.returncode == 0, run.stderr
    return {
        line["developer"]: Row(
            int(line["requests"]),
            int(line["failed"]),
            int(line["input_tokens"]),
            int(line["output_tokens"]),
            int(line["tokens"]),
            float(line["spend"]),
        )
        for line in csv.DictReader(io.StringIO(run.stdout))
    }


def logged(gateway: Server, name: str) -> list[dict[str, Any]]:
    """LiteLLM's own line for each call of a developer."""
    today = datetime.now(UTC).date()
    days = {"start_date": str(today - timedelta(days=1)), "end_date": str(today + timedelta(days=1))}
    rows: list[dict[str, Any]] = httpx.get(
        f"{gateway.url}/spend/logs",
        params={**days, "user_id": name, "summarize": "false"},
        headers={"Authorization": f"Bearer {gateway.key}"},
        timeout=60,
        verify=WITHOUT_TLS,
    ).json()
    return rows


def reported(simulator: Simulator, name: str) -> Counter[Tokens]:
    """What StackSpot said each call of a developer used."""
    found: Counter[Tokens] = Counter()
    for record in simulator.requests("/v1/agent/"):
        # A caller who goes away may do so just as the whole answer has been sent: that counts as a call that was left.
        call = re.search(rf"{name}: call (\d+)", record["body"]["user_prompt"])
        if call and KINDS[int(call[1]) % len(KINDS)] is not leave and record["usage"] and record["complete"]:
            found[record["usage"]["input"], record["usage"]["output"]] += 1
    return found


def tokens(rows: Iterable[dict[str, Any]]) -> Counter[Tokens]:
    return Counter((row["prompt_tokens"], row["completion_tokens"]) for row in rows)


@pytest.fixture
def two_developers(developer: Callable[..., Developer], simulator: Simulator, make: Make) -> dict[str, Developer]:
    simulator.faults(target=AGENTS["stackspot-ai-chat"], delta_delay=0.01)
    simulator.faults(target=AGENTS["stackspot-ai-code"], break_after=5)
    simulator.faults(target=AGENTS["stackspot-ai-assistant"], status=403)
    pair = {name: developer(name, "RPM=none") for name in ("lena", "mark")}
    work = [(KINDS[i % len(KINDS)], name, i) for i in range(CALLS) for name in pair]
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(kind, pair[name], f"{name}: call {i} {'word ' * (i % 7)}") for kind, name, i in work]:
            done.result()
    end = time.monotonic() + FLUSH_SECONDS
    while any(usage(make).get(name, Row(0, 0, 0, 0, 0, 0)).requests < CALLS for name in pair):
        assert time.monotonic() < end, usage(make)
        time.sleep(2)
    return pair


def test_usage_is_exact(
    two_developers: dict[str, Developer], simulator: Simulator, make: Make, team_gateway: Server, tmp_path: Path
) -> None:
    table = usage(make)
    for name in two_developers:
        calls, rows, row = reported(simulator, name), logged(team_gateway, name), table[name]
        assert len(rows) == row.requests == CALLS
        complete = sum(kind in COMPLETE for kind in (KINDS[i % len(KINDS)] for i in range(CALLS)))
        assert calls.total() >= complete
        assert calls - tokens(rows) == Counter(), "a call that StackSpot answered in full is booked as StackSpot said"
        rest = tokens(rows) - calls
        # A refusal costs nothing. Of a stream that broke or was left, StackSpot reports nothing, and what had been
        # delivered is counted locally.
        refused = sum(KINDS[i % len(KINDS)] is INCOMPLETE[2] for i in range(CALLS))
        assert rest[0, 0] == refused
        partly = [pair for pair in rest.elements() if pair != (0, 0)]
        longest = max(written for _, written in calls)
        assert all(read > 0 and 0 < written <= longest for read, written in partly)
        assert (row.read, row.written) == (
            sum(r["prompt_tokens"] for r in rows),
            sum(r["completion_tokens"] for r in rows),
        )
        assert row.tokens == row.read + row.written
        assert row.spend == pytest.approx(row.tokens * PRICE_PER_TOKEN, abs=PRICE_PER_TOKEN / 2)
        assert row.failed == sum(r["status"] == "failure" for r in rows)

    shown = make("usage").stdout
    assert "spend: million tokens at the default price" in shown
    for name, row in table.items():
        [line] = [line for line in shown.splitlines() if line.startswith(f"{name} ")]
        assert line.split()[-5:-1] == [f"{n:,}" for n in (row.failed, row.read, row.written, row.tokens)]
    assert make("usage", f"CSV={tmp_path / 'usage.csv'}").stdout.startswith(f"Wrote {len(table)} rows")
    assert (tmp_path / "usage.csv").read_text() == make("usage", "FORMAT=csv").stdout

    assert make("revoke", "NAME=mark").returncode == 0
    assert usage(make)["mark"] == table["mark"], "usage outlives the key"
