"""Takes personal numbers out of a request, wherever a text or a number can stand in its JSON.

The walk pauses often, so that its caller can let others have their turn.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Generator, Mapping
from typing import Any, TypeVar

import orjson

from custom_handlers.core.personal_data import SLICE, kind_of_bare, mask_text, placeholder

T = TypeVar("T")
Walk = Generator[None, None, Any]

_VALUES = 500  # that are looked at without a pause
_OPAQUE = 256  # a text as long as this that is nothing but base64 is a file, a signature or encrypted
_FILE = re.compile(r"data:[^,]{0,200};base64,")
_BASE64 = re.compile(r"[0-9A-Za-z+/_=-]*")
# Numbers in a schema that are nobody's: with a text in their place the schema would be wrong.
_BOUNDS = frozenset(
    f"{which}{what}" for which in ("min", "max") for what in ("imum", "Length", "Items", "Contains", "Properties")
) | {"exclusiveMinimum", "exclusiveMaximum", "multipleOf"}


def masked(value: Any) -> Any:
    """`value` without personal numbers; what holds none stays the same object."""
    return _finished(_walk(value, "", [0]))


def masked_parameters(body: Mapping[str, Any]) -> dict[str, Any]:
    """The same for a request's body, or a part of it. Its own numbers are parameters (`seed`), and stay."""
    return _finished(_parameters(body))


async def masked_body(body: dict[str, Any]) -> dict[str, Any]:
    """The same, while other requests have their turn."""
    walk = _parameters(body)
    while True:
        try:
            next(walk)
        except StopIteration as end:
            found: dict[str, Any] = end.value
            return found
        await asyncio.sleep(0)


def masked_text(text: str) -> str:
    """`text` without personal numbers."""
    return _finished(mask_text(text))


def _finished(walk: Generator[None, None, T]) -> T:
    try:
        while True:
            next(walk)
    except StopIteration as end:
        found: T = end.value
        return found


def _parameters(body: Mapping[str, Any]) -> Generator[None, None, dict[str, Any]]:
    numbers = {name: value for name, value in body.items() if _is_number(value)}
    rest = yield from _walk({name: value for name, value in body.items() if name not in numbers}, "", [0])
    return {**rest, **numbers}


def _walk(value: Any, name: str, count: list[int]) -> Walk:
    """`name` is the member that holds `value`, `count` what was looked at since the last pause."""
    count[0] += 1
    if count[0] >= _VALUES:
        count[0] = 0
        yield
    if isinstance(value, str):
        return (yield from _text(value, name, count))
    if isinstance(value, dict):
        return (yield from _object(value, count))
    if isinstance(value, list | tuple):
        items = []
        for item in value:
            items.append((yield from _walk(item, name, count)))
        return value if all(map(_same, items, value)) else items
    if _is_number(value) and name not in _BOUNDS and (kind := kind_of_bare(str(value), named=name)):
        return placeholder(kind)
    return value


def _object(value: dict[Any, Any], count: list[int]) -> Walk:
    found: dict[Any, Any] = {}
    changed = False
    for name, item in value.items():
        kept = yield from _walk(item, name if isinstance(name, str) else "", count)
        new = name
        if isinstance(name, str) and (new := (yield from _text(name, "", count))) != name:
            while new in found or new in value:  # a name may stand once in an object
                new += "_"
        changed = changed or new != name or kept is not item
        found[new] = kept
    return found if changed else value


def _text(text: str, name: str, count: list[int]) -> Walk:
    if len(text) > _OPAQUE and (_FILE.match(text) or _BASE64.fullmatch(text)):
        return text
    if name == "arguments" and text.lstrip()[:1] in ("{", "["):
        # JSON in a text: a number in it has to become a text, or the arguments could not be read any more.
        try:
            inside = orjson.loads(text)
        except orjson.JSONDecodeError:
            pass
        else:
            kept = yield from _walk(inside, "", count)
            return text if kept is inside else orjson.dumps(kept).decode()
    if len(text) < SLICE:
        count[0] += len(text) * _VALUES // SLICE
        kind = kind_of_bare(text, named=name) if text.isalnum() and "cep" in name.casefold() else None
        return placeholder(kind) if kind else masked_text(text)
    return (yield from mask_text(text))


def _same(one: Any, other: Any) -> bool:
    return one is other


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
