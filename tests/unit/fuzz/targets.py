"""What is fuzzed: each takes bytes, and may fail in the ways that its callers know."""

import asyncio
import copy
import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import yaml

from custom_handlers.config.request_limits import RequestLimits
from custom_handlers.config.settings import read
from custom_handlers.core import masking
from custom_handlers.core.errors import BadRequestError, ConfigurationError, StackSpotError
from custom_handlers.emulation import lenient_json
from custom_handlers.emulation.json_schema.budget import Budget, BudgetExceededError
from custom_handlers.emulation.json_schema.drafts import SchemaTooComplexError
from custom_handlers.emulation.json_schema.schema import Schema
from custom_handlers.emulation.parser.segments import ToolCall
from custom_handlers.emulation.structured_output import OutputFormat
from custom_handlers.emulation.tools import read_tools
from custom_handlers.guard import body as bodies
from custom_handlers.guard import fields
from custom_handlers.guard.asgi import PREPARE
from custom_handlers.guard.rejection import RejectedError
from custom_handlers.http.error_mapping import from_response
from custom_handlers.upstream.agents_api import AgentStreamDecoder
from custom_handlers.upstream.key_api import ChatCompletionDecoder
from tests.harness import ROOT
from tests.unit.custom_handlers.emulation.parsing import CALL, merged, parse, tool_config
from tests.unit.custom_handlers.reading import by_byte, decoded
from tests.unit.fuzz.mutating import request_bodies

LIMITS = RequestLimits()
Target = Callable[[bytes], None]


def streams(data: bytes) -> None:
    """StackSpot's answers: events and one of its own errors, the same for every split."""
    for decoder in (AgentStreamDecoder, ChatCompletionDecoder):
        whole, error = decoded(decoder(), [data])
        pieces, again = decoded(decoder(), by_byte(data))
        assert (repr(error), _text(whole)) == (repr(again), _text(pieces))


def error_bodies(data: bytes) -> None:
    for status in (400, 401, 403, 429, 500, 503):
        header = {"retry-after": data[:20].decode("latin-1"), "content-type": "application/json"}
        error = from_response(status, header, data)
        assert isinstance(error, StackSpotError)
        assert "\n" not in error.message


def answers(data: bytes) -> None:
    """The parser of calls: no exception, the same parts for every split, calls with arguments that are JSON."""
    text = data.decode("utf-8", "replace")
    whole = parse(text, turns=True)
    assert merged(whole) == merged(parse(*text, turns=True))
    assert all(isinstance(json.loads(part.arguments), dict) for part in whole if isinstance(part, ToolCall))


def repair(data: bytes) -> None:
    """JSON that a model has written, as an answer and as arguments: it is JSON then, or the model is told why not."""
    text = data.decode("utf-8", "replace")
    with suppress(lenient_json.InvalidJSONError):
        for value in lenient_json.read(text):
            json.loads(lenient_json.dumps(value))
    for schema in (None, _SCHEMA):
        with suppress(lenient_json.InvalidJSONError):
            json.loads(OutputFormat("", Schema(schema) if schema else None).read(text))
    for name in ("read", "write", "now", "none"):
        with suppress(lenient_json.InvalidJSONError):
            json.loads(tool_config().arguments(name, text).json)


def request(data: bytes) -> None:
    """A body on its way through the guard, on each surface: prepared, or refused in one sentence."""
    asyncio.run(_request(data))


async def _request(data: bytes) -> None:
    messages = [
        {"type": "http.request", "body": data[:100], "more_body": True},
        {"type": "http.request", "body": data[100:], "more_body": False},
    ]

    async def receive() -> Any:
        return messages.pop(0)

    try:
        body = await bodies.read_object(receive, {}, LIMITS)
    except RejectedError as rejected:
        _check(rejected)
        return
    orjson.dumps(await masking.masked_body(body))
    for surface, prepare in PREPARE.items():
        given = copy.deepcopy(body)
        try:
            fields.sift(surface, given, LIMITS)
            prepare(given)
        except RejectedError as rejected:
            _check(rejected)
            continue
        orjson.dumps(given)


def _check(rejected: RejectedError) -> None:
    assert 400 <= rejected.status < 500
    _sentences([rejected.message])
    json.loads(rejected.body("messages"))


def tools(data: bytes) -> None:
    """Tools and their schemas, as the emulation reads them."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return
    given = value if isinstance(value, dict) else {"tools": value}
    try:
        read_tools({"tools": given.get("tools"), "tool_choice": given.get("tool_choice")})
    except BadRequestError as error:
        _sentences([error.message])
    with suppress(SchemaTooComplexError, BudgetExceededError):
        Schema(value).check(value, Budget())


def configuration(data: bytes) -> None:
    """litellm_config.yaml: settings, or all mistakes, each in a sentence."""
    with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
        file.write(data)
        file.flush()
        try:
            read({"STACKSPOT_REALM": "team", "STACKSPOT_API_KEY": "sk-x"}, Path(file.name))
        except ConfigurationError as error:
            _sentences(error.mistakes)


def _sentences(told: list[str]) -> None:
    assert told
    assert all(text.endswith((".", "?")) for text in told), told


def _text(events: list[Any]) -> str:
    """What the events say, whatever the pieces."""
    return "".join(
        str(event.fields.get("content", "")) if hasattr(event, "fields") else repr(event) for event in events
    )


_ANSWER = (
    b'data: {"message": "Hi \\ud83d\\ude00", "stop_reason": null}\r\n\r\ndata: {"message": "", "stop_reason": "stop", '
)
_ANSWER += b'"tokens": {"input": 12, "user": 3, "output": 4}}\r\n\r\n'
_CHUNK = (
    b'data: {"choices": [{"delta": {"content": "Hi", "tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", '
)
_CHUNK += b'"arguments": "{}"}}]}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1}}\n\ndata: [DONE]\n\n'
_WRITTEN = f"<think>hm</think>\nText `x`\n{CALL}\n```json\n" + '{"name": "now", "arguments": {}}\n```\n'
_WRITTEN += "<function=write><parameter=path>a</parameter></function> [TOOL_CALLS]read[ARGS]{}\n=== USER ===\n"
_SCHEMA = {
    "type": "object",
    "properties": {
        "a": {"type": ["integer", "array"], "multipleOf": 3, "maximum": 10, "items": {"type": "integer"}},
        "b": {"enum": ["c", 1, None]},
        "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 9},
        "arguments": {"type": "object", "additionalProperties": {"type": "number", "multipleOf": 0.1}},
    },
    "required": ["a"],
}
_CONFIG = yaml.safe_load((ROOT / "litellm_config.yaml").read_text())
_REQUESTS = [json.dumps(body).encode() for body in request_bodies()]

# With the seeds that are mutated; where they are JSON, also as values.
TARGETS: dict[str, tuple[Target, list[bytes]]] = {
    "streams": (streams, [_ANSWER, _CHUNK, b'{"error": {"message": "no", "code": 7}}', b"<html>502</html>"]),
    "error_bodies": (
        error_bodies,
        [b'{"code": "A", "message": "context length is 1000 tokens, you have 2000", "details": [{"field": "x"}]}'],
    ),
    "answers": (answers, [_WRITTEN.encode(), CALL.encode()]),
    "repair": (
        repair,
        [
            b'{\'a\': [1, 2,], "b": "c\nd", // e\n}',
            CALL.encode(),
            b'{"a": 1e999}',
            b'{"a": [3, "6", 1.5], "b": null}',
            b'[{"a": "\\u00e9"}, None, True]',
        ],
    ),
    "request": (request, _REQUESTS),
    "tools": (tools, _REQUESTS),
    "configuration": (configuration, [json.dumps(_CONFIG).encode(), (ROOT / "litellm_config.yaml").read_bytes()]),
}
