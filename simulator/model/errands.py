"""The scripted model's other kind of task: calls of tools that the user names, one after the other.

    Call `order` with `number=7`. Call `WebFetch` with `url=https://example.com, prompt=What is it?`.

A tool that is not offered is searched first, with the client's tool for that, as models do. At the end it says what
each tool answered, so that a test sees what of it came through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from simulator.model.transcript import Call, Transcript

_ERRAND = re.compile(r"\bCall `([\w.-]+)` with `([^`\n]+)`")
_ARGUMENT = re.compile(r"(\w+)=([^,]*)")
_SEARCHES = ("toolsearch", "tool_search")
_GO_BETWEENS = ("tool_call",)  # Qwen Code's, which calls what its search has found
_QUOTED = 600  # characters of each result


@dataclass(frozen=True, slots=True)
class Errand:
    """A tool by the end of its name, since clients put a server's name before it, and what to give it."""

    tool: str
    arguments: dict[str, Any]

    def name_in(self, names: Iterable[str]) -> str | None:
        """The name of the tool as it is offered."""
        ends = re.compile(rf"(?:\A|.*[^a-zA-Z0-9]){re.escape(self.tool)}")
        return next((name for name in names if ends.fullmatch(name)), None)

    def is_done_by(self, call: Call) -> bool:
        """Whether `call` is this errand; clients add defaults of their own."""
        if call.name in _GO_BETWEENS:
            call = Call(str(call.arguments.get("name")), dict(call.arguments.get("arguments") or {}))
        return self.name_in([call.name]) is not None and self.arguments.items() <= call.arguments.items()


def errands_in(request: str) -> Iterator[Errand]:
    """What the user wants to be called."""
    for found in _ERRAND.finditer(request):
        yield Errand(found[1], {name: _value(text.strip()) for name, text in _ARGUMENT.findall(found[2])})


def next_errand(transcript: Transcript) -> tuple[str, list[Call]] | None:
    """What to say and call next, or None if the user wants nothing of this kind."""
    errands = list(errands_in(transcript.request))
    answered = [call for call in transcript.calls if call.result is not None]
    results = []
    for errand in errands:
        made = next((call for call in answered if errand.is_done_by(call)), None)
        if made is None:
            return _step(errand, transcript, answered)
        results.append(f"{errand.tool} said: {' '.join((made.result or '').split())[:_QUOTED]}")
    return ("\n".join(results), []) if errands else None


def _step(errand: Errand, transcript: Transcript, answered: list[Call]) -> tuple[str, list[Call]]:
    if name := errand.name_in(transcript.tools):
        return f"I call {errand.tool}.", [Call(name, errand.arguments)]
    search = next((name for name in transcript.tools if name.lower() in _SEARCHES), None)
    if search is None:
        return f"There is no tool {errand.tool} here.", []
    wanted = Call(search, {"query": errand.tool})
    found = next((call.result or "" for call in answered if wanted.is_like(call)), None)
    if found is None:
        return f"I search {errand.tool}.", [wanted]
    go_between = next((name for name in transcript.tools if name in _GO_BETWEENS), None)
    if go_between and (name := errand.name_in(re.findall(r'"name": ?"([^"]+)"', found))):
        return f"I call {errand.tool}.", [Call(go_between, {"name": name, "arguments": errand.arguments})]
    return f"I searched {errand.tool}, and still may not call it.", []


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
