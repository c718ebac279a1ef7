"""How a function of LiteLLM is replaced by one that uses it."""

from __future__ import annotations

from collections.abc import Callable
from inspect import getattr_static
from typing import Any

_OURS = "stackspot_has_replaced"


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Puts `make(own)` in the place of what `owner`, a module or a class, has as `name`: once, however often called.

    Raises AttributeError if there is none, so that an upgrade of LiteLLM fails at start and not in silence.
    """
    own = getattr(owner, name)
    if hasattr(own, _OURS):
        return
    other = make(own)
    setattr(other, _OURS, True)
    setattr(owner, name, staticmethod(other) if isinstance(getattr_static(owner, name), staticmethod) else other)
