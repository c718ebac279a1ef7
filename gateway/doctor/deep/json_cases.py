"""The cases of answers that have to be JSON, all but one by a schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateway.doctor.deep.case import Case, Kind
from gateway.doctor.deep.checking import Like, is_json
from gateway.doctor.deep.tools import CODE

_JSON_OBJECT = {"response_format": {"type": "json_object"}}
QUOTED = 'Ela disse: "não é possível" — e saiu às 18h.\nFim.'


def _schema(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = {
        "type": "object",
        "properties": {key: {"type": value} if isinstance(value, str) else value for key, value in properties.items()},
        "required": list(properties),
        "additionalProperties": False,
    }
    form = {"name": "answer", "strict": True, "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": form}}


_LINE = {
    "type": "object",
    "properties": {"article": {"type": "string"}, "count": {"type": "integer"}, "price": {"type": "number"}},
    "required": ["article", "count", "price"],
    "additionalProperties": False,
}

CASES = (
    Case(
        "an object", Kind.JSON, "Bia Souza is 34 years old and lives in Recife. Extract name, age and city.",
        is_json({"name": "Bia Souza", "age": 34, "city": "Recife"}),
        options=_schema({"name": "string", "age": "integer", "city": "string"}),
    ),
    Case(
        "an enum", Kind.JSON, "What mood is this review in? 'Broke after a day, and nobody answers my mails.'",
        is_json({"mood": "negative"}),
        options=_schema({"mood": {"type": "string", "enum": ["positive", "neutral", "negative"]}}),
    ),
    Case(
        "the lines of an invoice", Kind.JSON,
        "Extract the lines of this invoice, in order: 3 of A-17 at 9.90 each; 12 of B-2 at 0.5 each.",
        is_json(
            {"lines": [{"article": "A-17", "count": 3, "price": 9.9}, {"article": "B-2", "count": 12, "price": 0.5}]}
        ),
        options=_schema({"lines": {"type": "array", "items": _LINE}}),
    ),
    Case(
        "numbers, booleans and null", Kind.JSON,
        "The lamp costs 12.50, is sold out, and nobody knows a discount. A discount that is not known is null.",
        is_json({"price": 12.5, "in_stock": False, "discount": None}),
        options=_schema({"price": "number", "in_stock": "boolean", "discount": {"type": ["number", "null"]}}),
    ),
    Case(
        "a list in its order", Kind.JSON, "Give the first six prime numbers in falling order.",
        is_json({"primes": [13, 11, 7, 5, 3, 2]}),
        options=_schema({"primes": {"type": "array", "items": {"type": "integer"}}}),
    ),
    Case(
        "quotes, a line break and Portuguese", Kind.JSON,
        f"Put exactly the text between the fences into the field `text`, its line break included.\n```\n{QUOTED}\n```",
        is_json({"text": QUOTED}), options=_schema({"text": "string"}),
    ),
    Case(
        "code in a string", Kind.JSON,
        f"Put exactly the code between the fences into `code`, and its language into `language`.\n```\n{CODE}```",
        is_json({"language": Like(r"\Apython\Z"), "code": Like(rf"\A{re.escape(CODE)}?\Z")}),
        options=_schema({"language": "string", "code": "string"}),
    ),
    Case(
        "JSON without a schema", Kind.JSON, 'What is 17 + 25? Answer in JSON with the one field "answer", a number.',
        is_json({"answer": 42}), options=_JSON_OBJECT,
    ),
)  # fmt: skip
