"""Values as they are compared, and as errors show them."""

import json
from collections.abc import Callable
from typing import Any

_LONGEST = 60
_MOST_SHOWN = 4


def canonical(value: Any, spend: Callable[[int], None]) -> str:
    """A text that is equal for values that JSON schema takes for equal: 1 and 1.0, but not 1 and true.

    Text, since its hash cannot be foreseen: equal hashes of many numbers would make a set as slow as a list.
    """
    spend(5)
    match value:
        case bool() | None | str():
            return json.dumps(value)
        case float() if value.is_integer():
            return str(int(value))
        case list():
            return f"[{','.join([canonical(item, spend) for item in value])}]"
        case dict():
            items = [f"{json.dumps(key)}:{canonical(item, spend)}" for key, item in value.items()]
            return f"{{{','.join(sorted(items))}}}"
    return repr(value)


def short(value: Any, depth: int = 2) -> str:
    """`value` for a message, without looking at all of a large one."""
    match value:
        case str() if len(value) > _LONGEST:
            return f"{value[:_LONGEST]!r}…"
        case list() if value:
            shown = [short(item, depth - 1) for item in value[:_MOST_SHOWN]] if depth else []
            return f"[{_listed(shown, len(value))}]"
        case dict() if value:
            some = list(zip(range(_MOST_SHOWN), value.items(), strict=False)) if depth else []
            return f"{{{_listed([f'{short(key)}: {short(item, depth - 1)}' for _, (key, item) in some], len(value))}}}"
    text = repr(value)
    return text if len(text) <= _LONGEST or isinstance(value, str) else f"{text[:_LONGEST]}…"


def _listed(shown: list[str], total: int) -> str:
    more = [f"… {total} in all"] if total > len(shown) else []
    return ", ".join(shown + more)
