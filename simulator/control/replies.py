"""What is answered: scripts that a test queued, then its rules, then the model."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.usage import Usage


class ScriptError(ValueError):
    """A control call said something that cannot be played; the message is one sentence for the test's author."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One function call of an OpenAI-shaped answer; `arguments` is JSON text, as on the wire."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer. `writes`, when given, says which pieces share a network write; it overrides any cutting of `text`."""

    text: str
    writes: tuple[tuple[str, ...], ...] | None = None
    usage: Usage | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """Answer `answer` to every prompt that holds `when`, or that `pattern` finds something in."""

    answer: Answer
    when: str | None = None
    pattern: re.Pattern[str] | None = None
    target: str | None = None

    def applies(self, target: str, prompt: str) -> bool:
        """Whether this rule answers `prompt`, asked of `target` (an agent's id, or `key`)."""
        if self.target not in (None, target):
            return False
        if self.pattern is not None:
            return self.pattern.search(prompt) is not None
        return self.when is not None and self.when in prompt


class ReplyQueue:
    """The queue and the rules."""

    def __init__(self) -> None:
        self.queue: deque[tuple[str | None, Answer]] = deque()
        self.rules: list[Rule] = []

    def clear(self) -> None:
        self.queue.clear()
        self.rules.clear()

    def next(self, target: str, prompt: str, otherwise: Callable[[str], Answer]) -> Answer:
        """The oldest queued answer that `target` may take, else the first rule that applies, else `otherwise`."""
        for place, (wanted, answer) in enumerate(self.queue):
            if wanted in (None, target):
                del self.queue[place]
                return answer
        for rule in self.rules:
            if rule.applies(target, prompt):
                return rule.answer
        return otherwise(prompt)


def read_answer(value: Any) -> Answer:
    """An answer from JSON: a string, or an object with one of `text`, `pieces`, `writes`, `message`, and `usage`."""
    if isinstance(value, str):
        return Answer(value)
    if not isinstance(value, dict):
        raise ScriptError("An answer is a string or an object.")
    unknown = value.keys() - {"text", "pieces", "writes", "message", "usage", "finish_reason"}
    if unknown:
        raise ScriptError(f"An answer has no {', '.join(sorted(unknown))}.")
    forms = [name for name in ("text", "pieces", "writes", "message") if name in value]
    if len(forms) != 1:
        raise ScriptError("An answer has exactly one of text, pieces, writes and message.")
    usage = _read_usage(value.get("usage"))
    finish = value.get("finish_reason")
    if finish is not None and not isinstance(finish, str):
        raise ScriptError("finish_reason is a string.")
    body = value[forms[0]]
    if forms[0] == "message":
        text, calls = _read_message(body)
        return Answer(text, usage=usage, tool_calls=calls, finish_reason=finish)
    if forms[0] == "text":
        if not isinstance(body, str):
            raise ScriptError("text is a string.")
        return Answer(body, usage=usage, finish_reason=finish)
    groups = [[piece] for piece in body] if forms[0] == "pieces" and isinstance(body, list) else body
    writes = _read_writes(groups)
    return Answer("".join(p for w in writes for p in w), writes, usage, finish_reason=finish)


def read_rule(value: dict[str, Any]) -> Rule:
    """A rule from JSON: `when` (a substring) or `pattern` (a regular expression), `answer`, and perhaps `agent`."""
    when, pattern = value.get("when"), value.get("pattern")
    if (when is None) == (pattern is None) or not isinstance(when or pattern, str):
        raise ScriptError("A rule has either when (a substring) or pattern (a regular expression), as a string.")
    try:
        compiled = None if pattern is None else re.compile(pattern, re.DOTALL)
    except re.error as error:
        raise ScriptError(f"pattern is not a regular expression: {error}.") from error
    return Rule(read_answer(value.get("answer")), when, compiled, value.get("agent"))


def _read_writes(value: Any) -> tuple[tuple[str, ...], ...]:
    if not isinstance(value, list) or not all(isinstance(group, list) for group in value):
        raise ScriptError("pieces is a list of strings, and writes a list of such lists.")
    if not all(isinstance(piece, str) for group in value for piece in group):
        raise ScriptError("Every piece is a string.")
    return tuple(tuple(group) for group in value)


def _read_usage(value: Any) -> Usage | None:
    if value is None:
        return None
    names = {"input", "output", "enrichment"}
    if not isinstance(value, dict) or not value.keys() <= names:
        raise ScriptError("usage is an object of input, output and enrichment.")
    if not all(isinstance(n, int) and not isinstance(n, bool) for n in value.values()):
        raise ScriptError("The numbers of usage are integers.")
    return Usage(value.get("input", 0), value.get("output", 0), value.get("enrichment", 0))


def _read_message(value: Any) -> tuple[str, tuple[ToolCall, ...]]:
    if not isinstance(value, dict):
        raise ScriptError("message is an OpenAI assistant message.")
    calls = []
    for call in value.get("tool_calls") or []:
        try:
            function = call["function"]
            calls.append(ToolCall(str(call["id"]), str(function["name"]), str(function["arguments"])))
        except (KeyError, TypeError) as error:
            raise ScriptError("A tool call has id and function, with name and arguments.") from error
    return str(value.get("content") or ""), tuple(calls)
