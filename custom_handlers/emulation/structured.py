"""Structured output: what `response_format` asks for, in words for the model, and whether an answer is that."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from custom_handlers.emulation.lenient_json import Unreadable, dumps, read, values_within
from custom_handlers.emulation.schemas import Schema
from custom_handlers.emulation.tool_syntax import escape_json
from custom_handlers.wire.errors import BadRequest

_FENCED = re.compile(r"```[\w-]*\s*(.*?)```", re.DOTALL)
_OBJECT = "Answer with one JSON object and nothing else: no code fence, no text around it."
_SCHEMA = "Answer with JSON that fits the schema below and nothing else: no code fence, no text around it."


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """`rules` are for render. Without `schema` any object will do."""

    rules: str
    schema: Schema | None = None

    def read(self, answer: str) -> str:
        """The JSON in `answer` that fits, without fences and prose. Raises Unreadable."""
        problems: list[str] = []
        for value in _candidates(answer):
            problem = self._problem(value)
            if problem is None:
                return dumps(value)
            problems.append(problem)
        raise Unreadable(problems[0] if problems else "there is no JSON in it")

    def _problem(self, value: Any) -> str | None:
        if self.schema:
            return self.schema.problems(value)
        return None if isinstance(value, dict) else "it is not a JSON object"


def read_format(parameters: Mapping[str, Any]) -> OutputFormat | None:
    """What `response_format` in `parameters` asks for; None for plain text. Raises BadRequest.

    Besides OpenAI's forms it takes a Pydantic model, as in-process callers of LiteLLM do.
    """
    given: Any = parameters.get("response_format")
    if hasattr(given, "model_json_schema"):
        return _schema_format(given.model_json_schema())
    kind = given.get("type") if isinstance(given, Mapping) else given
    match kind:
        case None | "text":
            return None
        case "json_object":
            # An older form of LiteLLM's, and of some clients'.
            schema = given.get("response_schema") or given.get("schema") if isinstance(given, Mapping) else None
            return _schema_format(schema) if schema else OutputFormat(_OBJECT)
        case "json_schema" if isinstance(given, Mapping) and isinstance(given.get("json_schema"), Mapping):
            schema = given["json_schema"].get("schema")
            return OutputFormat(_OBJECT) if schema is None else _schema_format(schema)
    raise BadRequest("`response_format` must be of type text, json_object or json_schema.", param="response_format")


def _schema_format(given: Any) -> OutputFormat:
    schema = Schema(given)
    if mistake := schema.mistake:
        raise BadRequest(f"The schema of `response_format` is not valid: {mistake}", param="response_format")
    try:
        shown = escape_json(json.dumps(given, ensure_ascii=False, separators=(",", ":")))
    except (TypeError, ValueError, RecursionError):
        raise BadRequest("The schema of `response_format` is not JSON.", param="response_format") from None
    return OutputFormat(f"{_SCHEMA}\n{shown}", schema)


def _candidates(answer: str) -> Iterator[Any]:
    """JSON values in `answer`: the whole, what stands in fences, what stands in prose."""
    for text in (answer, *_FENCED.findall(answer)):
        try:
            # Not closed: an object that is cut off must not pass for a complete one.
            values = read(text, closed=False)
        except Unreadable:
            continue
        if len(values) == 1:
            yield values[0]
    yield from values_within(answer)
