"""An answer as network writes: pure, so that what is sent can be read without a socket."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from simulator.control.faults import Faults
from simulator.control.replies import Answer

_TOKEN = re.compile(r"\s?\S{1,6}|\s+")
_LINE_ENDS = {"crlf": b"\r\n", "lf": b"\n", "cr": b"\r"}


class Ending(enum.Enum):
    """What follows the last write."""

    COMPLETE = enum.auto()
    BREAK = enum.auto()
    STALL = enum.auto()
    ENDLESS = enum.auto()


@dataclass(frozen=True, slots=True)
class Write:
    """One network write; `deltas` counts the text deltas in it, and only those writes are paced."""

    data: bytes
    deltas: int = 0
    reports_usage: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that will be written; `filler` is repeated for ever when the ending is ENDLESS."""

    writes: list[Write]
    ending: Ending = Ending.COMPLETE
    filler: bytes = b""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one API writes a stream: all values are the JSON of one `data:` field."""

    delta: Callable[[str], bytes]
    opening: list[bytes]
    closing: list[bytes]
    final: bytes | None
    error: bytes
    not_text: bytes = b""
    done: bool = False


def groups_of(answer: Answer, faults: Faults) -> Sequence[Sequence[str]]:
    """The pieces of an answer, grouped by network write."""
    if answer.writes is not None and faults.pieces is None:
        if faults.deltas_per_write == 1:
            return answer.writes
        pieces = tuple(piece for group in answer.writes for piece in group)
    else:
        pieces = cut(answer.text, faults.pieces or "tokens")
    size = faults.deltas_per_write
    return [pieces[at : at + size] for at in range(0, len(pieces), size)]


@lru_cache(maxsize=64)
def cut(text: str, way: str) -> tuple[str, ...]:
    """`text` in pieces; joined they are the text again (for `surrogates`, in UTF-16)."""
    match way:
        case "whole":
            return (text,) if text else ()
        case "characters":
            return tuple(text)
        case "surrogates":
            units = text.encode("utf-16-be", "surrogatepass")
            pairs = (units[at : at + 2] for at in range(0, len(units), 2))
            return tuple(pair.decode("utf-16-be", "surrogatepass") for pair in pairs)
        case _:
            return tuple(_TOKEN.findall(text))


def dump(value: Any, escape: bool = False) -> bytes:
    """Compact JSON in UTF-8; lone surrogates, which UTF-8 cannot hold, force escapes."""
    if not escape:
        try:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        except UnicodeEncodeError:
            pass
    return json.dumps(value, separators=(",", ":")).encode()


def lay_out(groups: Sequence[Sequence[str]], dialect: Dialect, faults: Faults) -> Plan:
    """The whole stream as writes, spoilt as `faults` say."""
    end = _LINE_ENDS[faults.line_end]
    comment = b": keep-alive" + end + end if faults.comments else b""

    def frame(payload: bytes, event: bytes = b"") -> bytes:
        return event + b"data: " + payload + end + end

    limit, ending = _first_stop(faults)
    writes = [] if limit == 0 else [Write(comment + frame(payload)) for payload in dialect.opening]
    spoilers = [frame(b"this is not JSON")] * faults.non_json + [frame(dialect.not_text)] * faults.non_text
    sent, before = 0, ""
    for group in groups:
        taken = group if limit is None else group[: limit - sent]
        if not taken:
            break
        frames = []
        for piece in taken:
            before = before + piece if faults.cumulative else piece
            frames.append(frame(dialect.delta(before)))
        writes.append(Write(comment + b"".join(frames), len(taken)))
        sent += len(taken)
        writes.extend(Write(spoiler) for spoiler in spoilers)
        spoilers = []
    writes.extend(Write(spoiler) for spoiler in spoilers)
    if limit is not None and ending is None:
        event = b"event: error" + end if faults.error_form == "event" else b""
        writes.append(Write(comment + frame(dialect.error, event)))
    elif limit is None and faults.endless_empties:
        return Plan(_cut_bytes(writes, faults.cut_bytes), Ending.ENDLESS, frame(dialect.delta("")))
    elif limit is None:
        writes.extend(Write(comment + frame(payload)) for payload in dialect.closing)
        if dialect.final is not None:
            writes.append(Write(comment + frame(dialect.final), reports_usage=True))
        if dialect.done:
            writes.append(Write(frame(b"[DONE]")))
    return Plan(_cut_bytes(writes, faults.cut_bytes), ending or Ending.COMPLETE)


def lay_out_plain(body: bytes, faults: Faults) -> Plan:
    """A plain answer as one write, or half of it when it is to break or stall."""
    limit, ending = _first_stop(faults)
    if limit is None or ending is None:
        return Plan([Write(body, reports_usage=True)])
    return Plan([Write(body[: len(body) // 2])], ending)


def _first_stop(faults: Faults) -> tuple[int | None, Ending | None]:
    """After how many deltas the stream is stopped, and how; an ending of None is an error object."""
    stops: list[tuple[int, Ending | None]] = []
    if faults.break_after is not None:
        stops.append((faults.break_after, Ending.BREAK))
    if faults.stall_after is not None:
        stops.append((faults.stall_after, Ending.STALL))
    if faults.error_after is not None:
        stops.append((faults.error_after, None))
    return min(stops, key=lambda stop: stop[0]) if stops else (None, None)


def _cut_bytes(writes: list[Write], size: int | None) -> list[Write]:
    if size is None:
        return writes
    slices: list[Write] = []
    rest, deltas, usage = b"", 0, False
    for write in writes:
        rest, deltas, usage = rest + write.data, deltas + write.deltas, usage or write.reports_usage
        while len(rest) >= size:
            slices.append(Write(rest[:size]))
            rest = rest[size:]
        if slices and not rest:
            slices[-1] = Write(slices[-1].data, deltas, usage)
            deltas, usage = 0, False
    if rest:
        slices.append(Write(rest, deltas, usage))
    return slices
