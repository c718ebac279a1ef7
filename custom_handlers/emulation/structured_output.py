"""Structured output: what `response_format` asks for, in words for the model, and whether an answer is that."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from custom_handlers.core.errors import BadRequestError
from custom_handlers.emulation.conversion import convert
from custom_handlers.emulation.found_json import Found, found_in, refuses
from custom_handlers.emulation.json_schema.budget import Budget, BudgetExceededError
from custom_handlers.emulation.json_schema.drafts import SchemaTooComplexError
from custom_handlers.emulation.json_schema.proof import prove
from custom_handlers.emulation.json_schema.schema import Schema
from custom_handlers.emulation.lenient_json import InvalidJSONError, dumps
from custom_handlers.emulation.tool_call_format import escape_json

_SCHEMAS_KEPT = 32
_OBJECT = "Answer with one JSON object and nothing else: no code fence, no text around it."
_SCHEMA = "Answer with JSON that fits the schema below and nothing else: no code fence, no text around it."


class ModelRefusedError(InvalidJSONError):
    """The model says that it will not answer: `text` is what OpenAI's clients get as the message's `refusal`."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(reason)
        self.text = text


@dataclass(frozen=True, slots=True)
class Output:
    """The JSON of an answer. `unproven`: whether it fits takes too long to find out here."""

    value: Any
    unproven: bool = False


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """`rules` are for render. Without `schema` any object will do. `budget` is for all answers to one request."""

    rules: str
    schema: Schema | None = None
    budget: Budget = field(default_factory=Budget, compare=False, repr=False)

    def read(self, answer: str) -> str:
        """The JSON in `answer` that fits, without fences and prose. What is unproven counts as fitting. Raises
        Unreadable, of which Refused is one.
        """
        return dumps(self.find(answer).value)

    async def read_proven(self, answer: str) -> str:
        """As `read`, but what takes too long here is found out in a process of its own."""
        found = self.find(answer)
        if found.unproven and self.schema and (misfit := await prove(self.schema.given, found.value)):
            raise InvalidJSONError(misfit)
        return dumps(found.value)

    def find(self, answer: str) -> Output:
        """The first value in `answer` that fits; if there is none, the first that can be meant as one that does."""
        problems: list[str] = []
        found = list(found_in(answer))
        for each in found:
            try:
                problem = self._problem(each.value)
            except BudgetExceededError:
                return Output(each.value, unproven=True)
            if problem is None:
                return Output(each.value)
            problems.append(problem)
        if meant := self._meant(answer, found):
            return meant
        if not found and refuses(answer):
            raise ModelRefusedError("there is no JSON in it", answer.strip())
        raise InvalidJSONError(problems[0] if problems else "there is no JSON in it")

    def _problem(self, value: Any) -> str | None:
        if self.schema:
            return self.schema.check(value, self.budget)
        return None if isinstance(value, dict) else "it is not a JSON object"

    def _meant(self, answer: str, found: list[Found]) -> Output | None:
        if not self.schema:
            inner = [each for one in found if isinstance(one.value, str) for each in found_in(one.value)]
            return next((Output(each.value) for each in inner if isinstance(each.value, dict)), None)
        for each in found:
            # In prose there are lists and objects that answer nothing.
            if each.alone or len(found) == 1:
                reading = convert(self.schema, each.value, self.budget)
                if reading.misfit is None:
                    return Output(reading.value, reading.unproven)
        if found or answer.lstrip()[:1] in ("", "{", "[", '"'):
            return None
        for text in (answer.strip(), answer.strip(" \t\r\n`*\"'.")):
            reading = convert(self.schema, text, self.budget)
            if reading.misfit is None and isinstance(reading.value, str):  # an enum, without its quotes
                return Output(reading.value, reading.unproven)
        return None


def read_format(parameters: Mapping[str, Any]) -> OutputFormat | None:
    """What `response_format` in `parameters` asks for; None for plain text. Raises BadRequestError.

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
    raise BadRequestError(
        "`response_format` must be of type text, json_object or json_schema.", param="response_format"
    )


def _schema_format(given: Any) -> OutputFormat:
    try:
        shown = json.dumps(given, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        raise BadRequestError("The schema of `response_format` is not JSON.", param="response_format") from None
    try:
        schema = _schema(shown)
    except SchemaTooComplexError as error:
        raise BadRequestError(
            f"The schema of `response_format` asks for too much work: {error}.", param="response_format"
        ) from None
    if schema.error:
        raise BadRequestError(f"The schema of `response_format` is not valid: {schema.error}.", param="response_format")
    return OutputFormat(f"{_SCHEMA}\n{escape_json(shown)}", schema)


@lru_cache(maxsize=_SCHEMAS_KEPT)
def _schema(serialised: str) -> Schema:
    return Schema(json.loads(serialised))
