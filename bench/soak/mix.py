"""What a team asks in a soak: which kinds of requests, how often each, and how each has to end."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.client import Simulator
from simulator.model.scripted_agent import call_text
from simulator.model.transcript import Call
from tests.gateway.calling import CHAT, COMPLETIONS, MESSAGES, RESPONSES, Reply, request_body
from tests.harness import AGENTS

MODEL, BROKEN_MODEL = "stackspot-ai-code", "stackspot-ai-assistant"
CALL_A_TOOL, SAY_JSON = "Call the tool.", "Answer in JSON."
FIRST_BYTE_SECONDS, DELTA_SECONDS = 0.1, 0.01
LONG_PROMPT = "one two three four five six seven eight nine ten " * 10_000  # 100,000 tokens
BREAKS: tuple[dict[str, Any], ...] = (
    {"status": 500},
    {"not_shared": True},
    {"disconnect": "reset"},
    {"html": True},
    {"status": 503},
)
"""How StackSpot fails the requests that are meant to: one way after the other."""

_PARAMETERS = {
    "type": "object",
    "properties": {
        "path": {"type": "string", "description": "The file, from the project's root."},
        "line": {"type": "integer", "description": "Where to begin."},
    },
    "required": ["path"],
}
_NAMES = ("read_file", "write_file", "list_files", "search", "run", "fetch", "patch", "ask_user")
_FUNCTIONS: list[dict[str, Any]] = [
    {"name": name, "description": f"The tool {name} of a coding agent.", "parameters": _PARAMETERS} for name in _NAMES
]
_OPENAI_TOOLS = [{"type": "function", "function": function} for function in _FUNCTIONS]
_ANTHROPIC_TOOLS = [
    {"name": each["name"], "description": each["description"], "input_schema": each["parameters"]}
    for each in _FUNCTIONS
]
_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "degrees": {"type": "integer"}},
    "required": ["city", "degrees"],
    "additionalProperties": False,
}
_FORMAT = {"type": "json_schema", "json_schema": {"name": "weather", "schema": _SCHEMA, "strict": True}}


@dataclass(frozen=True)
class Kind:
    """`weight` is a share of all requests; `ends_well` says whether a reply is what this kind has to get."""

    weight: int
    route: str
    stream: bool
    ends_well: Callable[[Reply, str], bool]
    fields: Mapping[str, Any]
    words: str = "What does this module do?"
    model: str = MODEL
    answered: bool = True

    def body(self, tag: str) -> dict[str, Any]:
        """`tag` stands at the end of the prompt, where the simulator cites it."""
        body = request_body(self.route, self.model, f"{self.words}\nThis is request {tag}")
        if self.route in (CHAT, COMPLETIONS) and self.stream:
            body["stream_options"] = {"include_usage": True}
        return body | {"stream": self.stream, **self.fields}


def _cited(reply: Reply, tag: str) -> bool:
    return reply.failure is None and tag in reply.text and reply.finish in ("stop", "end_turn", "completed")


def _called(reply: Reply, tag: str) -> bool:
    return reply.failure is None and reply.finish in ("tool_calls", "tool_use")


def _in_json(reply: Reply, tag: str) -> bool:
    return reply.failure is None and reply.text == '{"city": "Recife", "degrees": 29}'


def _refused(*statuses: int) -> Callable[[Reply, str], bool]:
    def refused(reply: Reply, tag: str) -> bool:
        return reply.status in statuses and reply.failure is not None and bool(reply.failure.message)

    return refused


def _tools(route: str) -> dict[str, Any]:
    return {"tools": _ANTHROPIC_TOOLS if route == MESSAGES else _OPENAI_TOOLS}


KINDS: dict[str, Kind] = {
    "chat": Kind(25, CHAT, False, _cited, {}),
    "chat, streamed": Kind(22, CHAT, True, _cited, {}),
    "tools, streamed": Kind(15, CHAT, True, _called, _tools(CHAT), CALL_A_TOOL),
    "tools on messages": Kind(12, MESSAGES, True, _called, _tools(MESSAGES), CALL_A_TOOL),
    "responses, streamed": Kind(8, RESPONSES, True, _cited, {}),
    "completions": Kind(6, COMPLETIONS, False, _cited, {}),
    "JSON": Kind(5, CHAT, False, _in_json, {"response_format": _FORMAT}, SAY_JSON),
    "messages": Kind(4, MESSAGES, False, _cited, {}),
    "100,000 tokens": Kind(1, CHAT, True, _cited, {}, LONG_PROMPT),
    "StackSpot fails": Kind(1, CHAT, False, _refused(403, 502, 503), {}, model=BROKEN_MODEL, answered=False),
    "a wrong request": Kind(1, CHAT, False, _refused(400), {"temperature": "hot"}, answered=False),
}
SMALL = "chat"


def choose(chance: random.Random) -> str:
    return chance.choices(list(KINDS), [kind.weight for kind in KINDS.values()])[0]


def prepare(simulator: Simulator, leg: int) -> None:
    """Lets the simulator answer each kind as it has to be answered; its way to fail changes from leg to leg."""
    simulator.reset()
    simulator.faults(first_byte_delay=FIRST_BYTE_SECONDS, delta_delay=DELTA_SECONDS)
    simulator.faults(target=AGENTS[BROKEN_MODEL], **BREAKS[leg % len(BREAKS)])
    simulator.rule(call_text(Call("read_file", {"path": "src/main.py", "line": 1})), when=CALL_A_TOOL)
    simulator.rule('{"city": "Recife", "degrees": 29}', when=SAY_JSON)
