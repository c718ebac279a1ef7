"""Bytes that are almost requests and answers: seeds, changed as a hostile or broken sender changes them."""

import json
from copy import deepcopy
from random import Random
from typing import Any

from tests.gateway.calling import ROUTES
from tests.harness import ROOT
from tests.unit.custom_handlers.guard.places import places

SHAPES = ("bytes", "values")
_FIXTURES = ROOT / "tests" / "fixtures" / "clients"
_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 2**63, 2**64, 10**30, -(10**400), "", "x", "\x00", "\ud800", "é\u202e\ufeff", [], {}),
    *([[]], [{}], {"": {}}, ["x"] * 50, {"type": "text"}, {"type": "function"}, {"$ref": "#"}, "x" * 5000),
)
# What means something to one of the readers.
_WORDS = (
    *(b"{", b"}", b"[", b"]", b'"', b"'", b"\\", b",", b":", b"\\u", b"\\ud83d", b"\\ude00", b"\n", b"\r", b"\r\n\r\n"),
    *(b"data: ", b"event: error\n", b": ping\n", b"[DONE]", b"\xef\xbb\xbf", b"\xff", b"\x00", b"NaN", b"1e999", b"-0"),
    *(b"<tool_call>", b"</tool_call>", b"<think>", b"</think>", b"```json\n", b"```", b"<function=read>", b"=== USER"),
    *(
        b'"name"',
        b'"arguments"',
        b'{"message": ',
        b'"stop_reason": "stop"',
        b'"tokens": {"input": 1}',
        b"${X:-",
        b"<<: *",
    ),
    *(b"os.environ/STACKSPOT_", b"&a [*a]", b"!!python/object:", b"? ", b"- ", b"{" * 300, b"[" * 300, b'{"a":' * 150),
)


def request_bodies() -> list[dict[str, Any]]:
    """Those of the clients that were recorded, and one for each place that the guard knows."""
    found = []
    for path in sorted(_FIXTURES.glob("*.json")):
        found += [request["body"] for request in json.loads(path.read_text())["requests"] if request.get("body")]
    for route in ROUTES:
        found += [place.body for place in places(route)][::7]
    return found


def mutated(seed: bytes, shape: str, random: Random, changes: int) -> bytes:
    if shape == "bytes":
        return mutated_bytes(seed, random, changes)
    try:
        value = json.loads(seed)
    except ValueError:
        return mutated_bytes(seed, random, changes)
    return json.dumps(mutated_value(value, random, changes)).encode()


def mutated_value(value: Any, random: Random, changes: int) -> Any:
    """A JSON value with changes in some places."""
    changed = deepcopy(value)
    for _ in range(changes):
        holder, step = _somewhere(changed, random)
        if holder is None:
            return deepcopy(random.choice(_VALUES))
        match random.randrange(5):
            case 0 if isinstance(holder, dict):
                holder[random.choice([*holder, "type", "content", "name"])] = holder.pop(step)
            case 1:
                del holder[step]
            case 2:
                holder[step] = [holder[step]]
            case 3 if isinstance(holder, list):
                holder += deepcopy(holder[:20])
            case _:
                holder[step] = deepcopy(random.choice(_VALUES))
    return changed


def mutated_bytes(seed: bytes, random: Random, changes: int) -> bytes:
    data = bytearray(seed)
    for _ in range(changes):
        at = random.randrange(len(data) + 1)
        to = min(len(data), at + random.randrange(1, 40))
        match random.randrange(6):
            case 0:
                data[at:at] = random.choice(_WORDS)
            case 1:
                del data[at:to]
            case 2:
                data[at:at] = data[at:to] * random.randrange(1, 6)
            case 3 if at < len(data):
                data[at] = random.randrange(256)
            case 4:
                del data[at:]
            case _:
                data[at:to] = random.choice(_WORDS)
    return bytes(data[:200_000])


def _somewhere(value: Any, random: Random) -> tuple[Any, Any]:
    """A holder and the index or name of what it holds, at any depth; (None, None) in what holds nothing."""
    holder, step = None, None
    while isinstance(value, dict | list) and value and (holder is None or random.random() < 0.8):
        holder = value
        step = random.choice(list(value)) if isinstance(value, dict) else random.randrange(len(value))
        value = holder[step]
    return holder, step
