"""A case: what a model is asked, and the check of each of its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    TOOLS = "tools"
    JSON = "JSON"
    TURNS = "turns"


@dataclass(frozen=True)
class Call:
    id: str
    name: str
    arguments: Any  # None where they are no JSON


@dataclass(frozen=True)
class Reply:
    """A model's message, as the gateway gave it."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    message: Mapping[str, Any] = field(default_factory=dict)


# Says what is wrong, without a word of the model's; "" is right.
Check = Callable[[Reply], str]


@dataclass(frozen=True)
class Step:
    """What follows an answer: a result for each call, by the tool's name, or something that the user says."""

    check: Check
    results: Mapping[str, str | Callable[[Any], str]] = field(default_factory=dict)
    says: str = ""


@dataclass(frozen=True)
class Case:
    name: str
    kind: Kind
    asks: str
    check: Check
    tools: tuple[Mapping[str, Any], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    then: tuple[Step, ...] = ()

    @property
    def requests(self) -> int:
        return 1 + len(self.then)


def tool(name: str, description: str, *, optional: tuple[str, ...] = (), **parameters: Any) -> Mapping[str, Any]:
    """A function as OpenAI's interface describes it; a parameter is a type's name or a schema."""
    schema = {
        "type": "object",
        "properties": {key: {"type": value} if isinstance(value, str) else value for key, value in parameters.items()},
        "required": [key for key in parameters if key not in optional],
        "additionalProperties": False,
    }
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}
