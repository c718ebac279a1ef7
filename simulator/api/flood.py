"""What a service would not send on purpose: as much of one thing as the network takes, before the answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

Flood = Literal["lines", "comments", "empties", "tiny", "line", "delta", "nested"]

_BLOCK = 64 * 1024
_UNITS: dict[Flood, bytes] = {
    "lines": b"data: {}\n",
    "comments": b": keep-alive\n\n",
    "empties": b'data: {"message":""}\n\n',
    "tiny": b'data: {"message":"a "}\n\n',
    "line": b"x",
    "delta": b"word ",
    "nested": b'{"a":[',
}
_HEADS: dict[Flood, bytes] = {"line": b"data: ", "delta": b'data: {"message":"', "nested": b"data: "}
_TAILS: dict[Flood, bytes] = {"lines": b"\n", "line": b"\n\n", "delta": b'"}\n\n', "nested": b"\n\n"}


def flood(kind: Flood, size: int) -> Iterator[bytes]:
    """About `size` bytes of `kind`, in writes of a block each."""
    unit = _UNITS[kind]
    block = unit * max(_BLOCK // len(unit), 1)
    yield _HEADS.get(kind, b"")
    for _ in range(max(size // len(block), 1)):
        yield block
    yield _TAILS.get(kind, b"")
