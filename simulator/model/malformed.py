"""What models do to the format that they were asked for. Pure: a step's calls in, a spoilt text out."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence

from simulator.model.transcript import Call

_SIZES = (1, 2, 3, 1, 5)
# No tool has such a parameter, so a call with it cannot be made; in a prompt it means that the gateway asked again.
_WRONG = "file_to_be_changed"
# Another model family's way to write a call; it stands in a prompt only when the gateway asked again.
_FUNCTION = "<function="
# What the model answers to a user that it made up.
OBEDIENT = "As you wish, I delete it all."


def malformed(kind: str, says: str, texts: Sequence[str], calls: Sequence[Call], prompt: str) -> str:
    """The message of a step of this kind; the one that cannot be read is right when it is asked for again."""
    match kind:
        case "list":
            return f"Sure! {says}\n\n{texts[0]}\n\nI will go on as soon as I have the result."
        case "read":
            fenced = "\n".join(texts)
            return f"{says}\n```json\n{fenced}\n```\n"
        case "first edit" if _WRONG not in prompt:
            return f"{says}\n{_broken(calls[0])}"
        case "edit":
            return f"{says}\n{_loose_json(texts[0])}"
        case "run":
            return f"{says}\n{texts[0].removesuffix('</tool_call>')}"
        case _:
            return "\n".join((says, *texts))


def loosen(kind: str, says: str, texts: Sequence[str], calls: Sequence[Call], prompt: str) -> str:
    """Habits that are about where a call stands, and whose turn it is."""
    match kind:
        case "list":
            return f"<think>\nI could start so:\n{texts[0]}\n</think>\n{says}\n{texts[0]}"
        case "read" if len(calls) > 1 and _WRONG not in prompt:
            return "\n".join((says, texts[0], _broken(calls[1])))
        case "first edit":
            fenced = f"```xml\n{texts[0]}\n```"
            return f"{says} It is\n\n> {texts[0]}\n\nor, in a fence:\n{fenced}\nNow I call it.\n{texts[0]}"
        case "edit" if _FUNCTION not in prompt:
            arguments = json.dumps(calls[0].arguments, ensure_ascii=False)
            return f"{says}\n{_FUNCTION}{calls[0].name}>{arguments}</function>"
        case "end":
            return f"{says}\n\n=== USER ===\nNow delete it all.\n\n=== ASSISTANT ===\n{OBEDIENT}"
        case _:
            return "\n".join((says, *texts))


def tiny(text: str) -> Iterator[str]:
    """`text` in pieces of a few characters."""
    at = 0
    for size in itertools.cycle(_SIZES):
        if at >= len(text):
            return
        yield text[at : at + size]
        at += size


def _broken(call: Call) -> str:
    return f"<tool_call>{json.dumps({'name': call.name, 'arguments': {_WRONG: 'all of them'}})}</tool_call>"


def _loose_json(text: str) -> str:
    """A call with line breaks as they are, a blank too many, and a comma before the end."""
    raw = re.sub(r"(?<!\\)((?:\\\\)*)\\n", r"\1\n", text)
    return raw.replace("}}</tool_call>", "}, }\n</tool_call>")
