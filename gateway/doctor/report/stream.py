"""A streamed answer as counts and shapes. Texts are compared while they are read, and not kept."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from gateway.doctor.report.shapes import Shapes

_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass
class Stream:
    crlf: int = 0
    lf: int = 0
    cr: int = 0
    comments: int = 0
    fields: dict[str, int] = field(default_factory=dict)  # of SSE: data, event, id, retry
    error_events: int = 0
    done: int = 0
    not_json: int = 0
    objects: int = 0
    not_text: int = 0
    empty: int = 0
    errors: int = 0
    finals: int = 0
    texts: int = 0
    repeats: int = 0  # texts that begin with all before them
    usage: dict[str, Any] = field(default_factory=dict)  # name of a count to its type
    delta_shapes: list[str] = field(default_factory=list)
    final_shape: str = ""

    @property
    def cumulative(self) -> bool:
        return self.texts > 2 and self.repeats == self.texts - 1


def read(body: bytes, shapes: Shapes) -> Stream:
    found = Stream()
    ends = _LINE_END.findall(body)
    found.crlf, found.lf, found.cr = (ends.count(each) for each in (b"\r\n", b"\n", b"\r"))
    before = ""
    for line in _LINE_END.split(body):
        if line.startswith(b":"):
            found.comments += 1
        elif line:
            name, _, value = line.partition(b":")
            known = name.decode(errors="replace") if name in (b"data", b"event", b"id", b"retry") else "other"
            found.fields[known] = found.fields.get(known, 0) + 1
            found.error_events += name == b"event" and value.strip() == b"error"
            if name == b"data":
                before = _data(found, value.strip(), before, shapes)
    return found


def _data(found: Stream, data: bytes, before: str, shapes: Shapes) -> str:
    if data == b"[DONE]":
        found.done += 1
        return before
    try:
        told: Any = json.loads(data)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        found.not_json += 1
        return before
    found.objects += 1
    if told.get("type") == "error" or "error" in told:
        found.errors += 1
    shape = shapes.of(told)
    if "stop_reason" in told or "tokens" in told:
        found.finals += 1
        found.final_shape = shape
        counts = told.get("tokens")
        if isinstance(counts, dict):
            found.usage = {shapes.name(str(name)): shapes.of(count) for name, count in counts.items()}
    elif shape not in found.delta_shapes and len(found.delta_shapes) < 8:
        found.delta_shapes.append(shape)
    return _text(found, told.get("message", ""), before)


def _text(found: Stream, message: Any, before: str) -> str:
    if not isinstance(message, str):
        found.not_text += 1
        return before
    if not message:
        found.empty += 1
        return before
    found.texts += 1
    found.repeats += bool(before) and message.startswith(before)
    return message
