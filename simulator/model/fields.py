"""DSPy's way to call tools: fields of a text, `[[ ## name ## ]]` and the value below it, in place of the API's calls.

The prompt tells of the tools in prose, and has the calls so far as fields of the user's message. The answer has the
fields `next_thought`, `next_tool_name` and `next_tool_args`; a last prompt asks for `reasoning` and the results.
"""

from __future__ import annotations

import ast
import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_FIELD = re.compile(r"^\[\[ ## (\w+) ## \]\]$", re.MULTILINE)
_TOOL = re.compile(
    r"^ *\(\d+\) (\w+)(?:, whose description is <desc>.*</desc>)?\. It takes arguments (\{.*\})\.$", re.M
)
_ASKED = re.compile(r"^Respond with the corresponding output fields, starting with the field (.*)$", re.MULTILINE)
_NAMED = re.compile(r"\[\[ ## (\w+) ## \]\]")
_FINISH = "finish"

Section = tuple[str, str]


def wanted_fields(sections: Sequence[Section]) -> list[str]:
    """The fields that the answer must have; none where the prompt does not ask for any."""
    said = [text for speaker, text in sections if speaker == "USER"]
    asked = _ASKED.search(said[-1]) if said else None
    return _NAMED.findall(asked[1]) if asked else []


def as_messages(sections: Sequence[Section]) -> list[Section]:
    """The sections of such a prompt as they were with the API's own tools and calls."""
    return list(_converted(sections)) if wanted_fields(sections) else list(sections)


def write(says: str, call: tuple[str, Mapping[str, Any]] | None, last_result: str, wanted: Sequence[str]) -> str:
    """The answer in fields: `call` is the next one, or None at the end of the work."""
    name, arguments = call or (_FINISH, {})
    values = {
        "next_thought": says,
        "next_tool_name": name,
        "next_tool_args": json.dumps(arguments, ensure_ascii=False),
        "reasoning": "It is done.",
    }
    told = [(field, values.get(field, last_result)) for field in wanted if field != "completed"]
    return "\n\n".join([*(f"[[ ## {field} ## ]]\n{value}" for field, value in told), "[[ ## completed ## ]]"])


def _converted(sections: Sequence[Section]) -> Iterator[Section]:
    system = "\n".join(text for speaker, text in sections if speaker == "SYSTEM")
    said = [text for speaker, text in sections if speaker == "USER"][-1]
    tools = {name: schema for name, given in _TOOL.findall(system) if (schema := _schema(given)) and name != _FINISH}
    if tools:
        yield "TOOLS", "\n\n".join(f"## {name}\n{json.dumps(schema)}" for name, schema in tools.items())
    fields = dict(_values(_ASKED.split(said)[0]))
    yield "USER", "\n".join(value for name, value in fields.items() if not re.search(r"_\d+\Z|\Atrajectory\Z", name))
    for at in range(len(fields)):
        if f"tool_name_{at}" not in fields:
            break
        with contextlib.suppress(ValueError):
            body = {"name": fields[f"tool_name_{at}"], "arguments": json.loads(fields.get(f"tool_args_{at}", ""))}
            yield "ASSISTANT", f'<tool_call id="{at}">{json.dumps(body)}</tool_call>'
            observed = fields.get(f"observation_{at}", "")
            yield "TOOL", f'<tool_response id="{at}">\n{observed}\n</tool_response>'
    yield "FORMAT", f"Write at most one such block.\nThe tools: {', '.join(tools)}."


def _values(text: str) -> Iterator[tuple[str, str]]:
    found = list(_FIELD.finditer(text))
    ends = [field.start() for field in found[1:]] + [len(text)]
    for field, end in zip(found, ends, strict=True):
        yield field[1], text[field.end() : end].strip("\n")


def _schema(given: str) -> dict[str, Any] | None:
    try:
        properties = ast.literal_eval(given)
    except (ValueError, SyntaxError):
        return None
    return {"type": "object", "properties": properties, "required": list(properties)}
