"""Calls and results that a framework writes into the texts of a conversation, in place of the API's own messages.

smolagents does so:

    Calling tools:
    [{'id': 'call_1', 'type': 'function', 'function': {'name': 'run_command', 'arguments': {'command': 'ls'}}}]

and then, as the user, `Observation:` with what all of them said.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

_CALLS = re.compile(r"^Calling tools:\n(\[\{.*\}\])$", re.MULTILINE | re.DOTALL)
_RESULT = re.compile(r"\AObservation:\n?")  # nothing follows where nothing was printed

Section = tuple[str, str]


def as_messages(sections: Sequence[Section]) -> list[Section]:
    """The sections of a prompt as they were if the framework used the API's own messages."""
    return list(_converted(sections))


def _converted(sections: Sequence[Section]) -> Iterator[Section]:
    waiting: list[str] = []
    for speaker, text in sections:
        if speaker == "ASSISTANT" and (found := _CALLS.search(text)) and (calls := _read(found[1])):
            waiting = [str(call["id"]) for call in calls]
            blocks = [_block(call) for call in calls]
            yield speaker, "\n".join((text[: found.start()].rstrip(), *blocks))
        elif speaker == "USER" and waiting and (heading := _RESULT.match(text)):
            said = text[heading.end() :]
            results = [f'<tool_response id="{call_id}">\n{said}\n</tool_response>' for call_id in waiting]
            yield "TOOL", "\n".join(results)
            waiting = []
        else:
            yield speaker, text


def _read(text: str) -> list[dict[str, Any]]:
    try:
        calls = ast.literal_eval(text)
        return [{"id": call["id"], **call["function"]} for call in calls]
    except (ValueError, SyntaxError, LookupError, TypeError):
        return []


def _block(call: dict[str, Any]) -> str:
    body = json.dumps({"name": call["name"], "arguments": call["arguments"]}, ensure_ascii=False)
    return f'<tool_call id="{call["id"]}">{body}</tool_call>'
