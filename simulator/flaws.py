"""What models do to the format that they were asked for. Pure: a step's calls in, a spoilt text out."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence

from simulator.transcript import Call

_SIZES = (1, 2, 3, 1, 5)
# No tool has such a parameter, so a call with it cannot be made; in a prompt it means that the gateway asked again.
_WRONG = "file_to_be_changed"


def spoil(kind: str, says: str, texts: Sequence[str], calls: Sequence[Call], prompt: str) -> str:
    """The message of a step of this kind; the one that cannot be read is right when it is asked for again."""
    match kind:
        case "list":
            return f"Sure! {says}\n\n{texts[0]}\n\nI will go on as soon as I have the result."
        case "read":
            fenced = "\n".join(texts)
            return f"{says}\n```json\n{fenced}\n```\n"
        case "first edit" if _WRONG not in prompt:
            broken = {"name": calls[0].name, "arguments": {_WRONG: "all of them"}}
            return f"{says}\n<tool_call>{json.dumps(broken)}</tool_call>"
        case "edit":
            return f"{says}\n{_loose_json(texts[0])}"
        case "run":
            return f"{says}\n{texts[0].removesuffix('</tool_call>')}"
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


def _loose_json(text: str) -> str:
    """A call with line breaks as they are, a blank too many, and a comma before the end."""
    raw = re.sub(r"(?<!\\)((?:\\\\)*)\\n", r"\1\n", text)
    return raw.replace("}}</tool_call>", "}, }\n</tool_call>")
