"""Reads a gateway's prompt as a model does: who said what, which tools there are, what they answered.

The form is that of `custom_handlers/emulation/prompt.py`; a stand-in that imported it would share its mistakes.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from simulator.model import fields, written_calls

# The first header of a prompt has the mark that all of its headers have.
_FIRST_HEADER = re.compile(r"\A=== [A-Z]+(?: \([^()\n]*\))?( [a-z2-7]{6}) ===\n")
_CALL = re.compile(r'<tool_call(?: id="([^"]*)")?>(.*?)</tool_call>', re.DOTALL)
_RESULT = re.compile(r'<tool_response((?: \w+="[^"]*")*)>\n(.*?)\n</tool_response>', re.DOTALL)
_ID = re.compile(r' id="([^"]*)"')
_NAMES = re.compile(r"^The tools: (.+)\.$", re.MULTILINE)
_ONE_CALL = "at most one such block"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool, with what came of it; None as long as nothing did."""

    name: str
    arguments: dict[str, Any]
    result: str | None = None

    def is_like(self, other: Call) -> bool:
        """Whether `other` asks for the same; clients add defaults of their own to what they report back."""
        return self.name == other.name and self.arguments.items() <= other.arguments.items()


@dataclass(frozen=True)
class Transcript:
    """A prompt that a gateway wrote, or any text, which is then one user's message."""

    prompt: str

    @cached_property
    def sections(self) -> list[tuple[str, str]]:
        """Speaker and text, in order, with calls and results as a gateway writes them."""
        return written_calls.as_messages(fields.as_messages(self._as_written))

    @cached_property
    def fields(self) -> list[str]:
        """The fields that the answer must have, for frameworks that want it in fields."""
        return fields.wanted_fields(self._as_written)

    @cached_property
    def _as_written(self) -> list[tuple[str, str]]:
        first = _FIRST_HEADER.match(self.prompt)
        mark = first[1] if first else ""
        headers = list(re.finditer(rf"^=== ([A-Z]+)(?: \([^()\n]*\))?{mark} ===$", self.prompt, re.MULTILINE))
        if not headers:
            return [("USER", self.prompt)]
        ends = [header.start() for header in headers[1:]] + [len(self.prompt)]
        return [
            (found[1], self.prompt[found.end() : end].strip("\n")) for found, end in zip(headers, ends, strict=True)
        ]

    @cached_property
    def tools(self) -> dict[str, dict[str, Any]]:
        """The schema of each tool that may be called, by name."""
        shown = "\n".join(text for speaker, text in self.sections if speaker == "TOOLS")
        rules = "\n".join(text for speaker, text in self.sections if speaker == "FORMAT")
        found = _NAMES.search(rules)
        names = found[1].split(", ") if found and shown else []
        return dict(_schemas(shown, names))

    @property
    def one_call(self) -> bool:
        """Whether a message may hold no more than one call."""
        return any(_ONE_CALL in text for speaker, text in self.sections if speaker == "FORMAT")

    @cached_property
    def request(self) -> str:
        """What users said since the last answer that called nothing."""
        return "\n".join(text for speaker, text in self._current if speaker == "USER")

    @property
    def last_words(self) -> str:
        """What the user said last, if nobody said anything after that."""
        said = [section for section in self.sections if section[1] and section[0] != "FORMAT"]
        return said[-1][1] if said and said[-1][0] == "USER" else ""

    @cached_property
    def calls(self) -> list[Call]:
        """The calls made for the current request, in order, with their results."""
        results: dict[str, list[str]] = {}
        for speaker, text in self._current:
            if speaker == "TOOL":
                for found in _RESULT.finditer(text):
                    call_id = _ID.search(found[1])
                    results.setdefault(call_id[1] if call_id else "", []).append(found[2])
        return [
            Call(name, arguments, waiting.pop(0) if (waiting := results.get(call_id)) else None)
            for call_id, name, arguments in self._asked()
        ]

    @cached_property
    def _current(self) -> list[tuple[str, str]]:
        answers = [
            at
            for at, (speaker, text) in enumerate(self.sections)
            if speaker == "ASSISTANT" and text and not _CALL.search(text)
        ]
        return self.sections[answers[-1] + 1 :] if answers else self.sections

    def _asked(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for speaker, text in self._current:
            for found in _CALL.finditer(text) if speaker == "ASSISTANT" else ():
                # When a gateway asks again, it shows the call that it could not read.
                with contextlib.suppress(ValueError, LookupError, TypeError):
                    body = json.loads(found[2])
                    yield found[1] or "", body["name"], dict(body["arguments"])


def _schemas(shown: str, names: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The schema of each tool: the line that ends what is said of it.

    Descriptions are free: they may hold examples in JSON, and headings that are like those of other tools. So the tools
    are taken in the order in which they are named, and each ends where a schema stands before the next one's heading.
    """
    at = 0
    for name, following in itertools.zip_longest(names, names[1:]):
        start = shown.find(f"## {name}\n", at)
        end = rf"\n\n## {re.escape(following)}\n" if following else r"\n*\Z"
        found = re.compile(rf"^(\{{.*\}}){end}", re.MULTILINE).search(shown, max(start, at))
        if start < 0 or found is None:
            continue
        at = found.end(1)
        with contextlib.suppress(ValueError):
            if isinstance(schema := json.loads(found[1]), dict):
                yield name, schema
