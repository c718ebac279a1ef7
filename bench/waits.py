"""`python -m bench.waits`: how long everybody else waits while one hostile request, or a hostile answer, is dealt with.

A probe asks for a sign of life every 10 ms. The table shows the longest that one of them took, in all rounds, beside
what an idle gateway needs.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.processes import resident_megabytes
from gateway.processes import Account, Server, running_gateway, running_simulator
from simulator.client import Simulator

MEGABYTE = 1024 * 1024
PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages", "responses": "/v1/responses"}
MODEL = "stackspot-code"
Body = dict[str, Any]


@dataclass(frozen=True)
class Attack:
    """A request by surface, and what StackSpot does meanwhile."""

    name: str
    body: Callable[[str], Body]
    surfaces: tuple[str, ...] = tuple(PATHS)
    faults: dict[str, Any] = field(default_factory=dict)
    answer: Any = None


def text(surface: str, prompt: Any = "Hi") -> Body:
    if surface == "responses":
        return {"model": MODEL, "input": prompt}
    return {"model": MODEL, "max_tokens": 8192, "messages": prompt if isinstance(prompt, list) else _user(prompt)}


def _user(prompt: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}]


def messages(count: int) -> list[dict[str, str]]:
    turns = [{"role": ("user", "assistant")[at % 2], "content": "hello there"} for at in range(count - 1)]
    return [*turns, *_user("x")]


def tools(surface: str, *schemas: Any) -> Body:
    offered = []
    for at, schema in enumerate(schemas):
        named = {"name": f"t{at}", "description": "d"}
        if surface == "messages":
            offered.append({**named, "input_schema": schema})
        elif surface == "responses":
            offered.append({"type": "function", **named, "parameters": schema})
        else:
            offered.append({"type": "function", "function": {**named, "parameters": schema}})
    return text(surface) | {"tools": offered}


def holding(**value: Any) -> Body:
    return {"type": "object", "properties": {"v": value}, "required": ["v"]}


def call(value: Any) -> str:
    return f"<tool_call>\n{json.dumps({'name': 't0', 'arguments': {'v': value}})}\n</tool_call>"


PLAIN: Body = {"type": "object", "properties": {"path": {"type": "string"}}}
WIDE: Body = {"type": "object", "properties": {f"p{at}": {"type": "string"} for at in range(30_000)}}
DOUBLING: Body = {
    "$defs": {"d0": PLAIN, **{f"d{at}": {"allOf": [{"$ref": f"#/$defs/d{at - 1}"}] * 2} for at in range(1, 23)}},
    "$ref": "#/$defs/d22",
}
BRANCHES: Body = {
    "$defs": {
        "d0": {"type": "integer"},
        **{f"d{at}": {"anyOf": [{"$ref": f"#/$defs/d{at - 1}"}] * 2} for at in range(1, 19)},
    },
    **holding(**{"$ref": "#/$defs/d18"}),
}
ATTACKS = (
    Attack("19 MB of words", lambda surface: text(surface, "lorem ipsum " * (19 * MEGABYTE // 12))),
    Attack("19 MB of one letter", lambda surface: text(surface, "a" * 19 * MEGABYTE)),
    Attack("a million lines `=`", lambda surface: text(surface, "=\n" * 1_000_000)),
    Attack("100,000 messages", lambda surface: text(surface, messages(100_000))),
    Attack("2,000 messages", lambda surface: text(surface, messages(2000))),
    Attack("5,000 tools", lambda surface: tools(surface, *[PLAIN] * 5000)),
    Attack("512 tools", lambda surface: tools(surface, *[PLAIN] * 512)),
    Attack("one tool of 30,000 properties", lambda surface: tools(surface, WIDE)),
    Attack("six million numbers as tools", lambda surface: text(surface) | {"tools": [1] * 6_000_000}),
    Attack("schema: `$defs` that double, 22 levels", lambda surface: tools(surface, DOUBLING), ("chat",)),
    Attack("schema: `anyOf`, 2^18 branches", lambda surface: tools(surface, BRANCHES), ("chat",), answer=call("x")),
    Attack(
        "schema: `^(a+)+$` against 26 letters",
        lambda surface: tools(surface, holding(type="string", pattern="^(a+)+$")),
        ("chat",),
        answer=call("a" * 26 + "!"),
    ),
    Attack(
        "schema: `uniqueItems` on 3,000 objects",
        lambda surface: tools(surface, holding(type="array", uniqueItems=True)),
        ("chat",),
        answer=call([{"a": at} for at in range(3000)]),
    ),
    Attack(
        "schema: 300 strings, `not: {pattern: ^(a|aa)+$}`",
        lambda surface: tools(surface, holding(type="array", items={"not": {"pattern": "^(a|aa)+$"}})),
        ("chat",),
        answer=call(["a" * 24 + "!"] * 300),
    ),
    Attack("answer: 9 MB of `data:` lines", text, ("chat",), {"flood": "lines", "flood_bytes": 9 * MEGABYTE}),
    Attack("answer: 80 MB of comments", text, ("chat",), {"flood": "comments", "flood_bytes": 80 * MEGABYTE}),
    Attack("answer: 200 MB of empty deltas", text, ("chat",), {"flood": "empties", "flood_bytes": 200 * MEGABYTE}),
    Attack("answer: a million tiny deltas", text, ("chat",), {"flood": "tiny", "flood_bytes": 24_000_000}),
    Attack("answer: a line of 64 MB", text, ("chat",), {"flood": "line", "flood_bytes": 64 * MEGABYTE}),
    Attack("answer: a delta of 50 MB", text, ("chat",), {"flood": "delta", "flood_bytes": 50 * MEGABYTE}),
    Attack("answer: 3 MB of brackets", text, ("chat",), {"flood": "nested", "flood_bytes": 3 * MEGABYTE}),
    Attack(
        "answer: 5 MB of fences, in JSON mode",
        lambda surface: text(surface) | {"response_format": {"type": "json_object"}},
        ("chat",),
        answer="```json\n" * (5 * MEGABYTE // 8),
    ),
)


@contextmanager
def probing(server: Server) -> Iterator[list[float]]:
    """The seconds of each sign of life that is asked for within the block."""
    waits: list[float] = []
    done = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=server.url, timeout=120, trust_env=False) as http:
            while not (done.is_set() and waits):
                started = time.perf_counter()
                http.get("/health/liveliness").raise_for_status()
                waits.append(time.perf_counter() - started)
                time.sleep(0.01)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield waits
    finally:
        done.set()
        thread.join()


def measure(server: Server, simulator: Simulator, attack: Attack, surface: str, rounds: int) -> str:
    """A line of the table."""
    content = {stream: json.dumps(attack.body(surface) | {"stream": stream}).encode() for stream in (False, True)}
    longest, took, statuses = 0.0, 0.0, set()
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"}
    with httpx.Client(base_url=server.url, timeout=300, trust_env=False, headers=headers) as http:
        for _ in range(rounds):
            for body in content.values():
                simulator.reset()
                simulator.faults(**attack.faults)
                if attack.answer:
                    simulator.rule(attack.answer, pattern="")
                with probing(server) as waits:
                    started = time.perf_counter()
                    response = http.post(PATHS[surface], content=body)
                    took = max(took, time.perf_counter() - started)
                statuses.add(str(response.status_code))
                longest = max(longest, *waits)
    return (
        f"| {attack.name} | {surface} | {', '.join(sorted(statuses))} | {took:.2f} | {longest:.3f} |"
        f" {resident_megabytes(server.process.pid)} |"
    )


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.waits", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of each input, plain and streamed")
    given = parser.parse_args(arguments)
    account = Account.new()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_simulator(account, Path(folder, "simulator.log")) as upstream,
        Simulator(upstream.url) as simulator,
        running_gateway(account.for_gateway(upstream.url), Path(folder, "gateway.log")) as server,
    ):
        print("| input | surface | status | longest answer (s) | longest wait of others (s) | memory after (MB) |")
        print("|---|---|---|---|---|---|")
        for surface in PATHS:  # the first request to a route builds LiteLLM's models for it
            measure(server, simulator, Attack("", text), surface, 1)
        print(measure(server, simulator, Attack('nothing: "Hi"', text), "chat", given.rounds), flush=True)
        for attack in ATTACKS:
            for surface in attack.surfaces:
                print(measure(server, simulator, attack, surface, given.rounds), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
