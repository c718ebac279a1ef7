"""What is asked, and what has to come back when nothing is wrong: texts, calls of tools and JSON."""

import json
import random
from dataclasses import dataclass
from typing import Any

from simulator.client import Simulator
from tests.gateway.calling import CHAT, COMPLETIONS, MESSAGES, RESPONSES, ROUTES, Reply, request_body
from tests.gateway.test_structured_output import GOOD, TEXT, asked
from tests.gateway.test_uploads import PNG, image, source
from tests.gateway.tooling import CALLED, TOOL_ROUTES, calls, tools
from tests.slow.chaos.mixes import Mix

SAID = 'Straße, 日本 and 🧑‍💻: "quoted" \\ and\nmore of it.'
LOOKED = {"at": "here 🧭"}
CALL = f"I look.\n<tool_call>{json.dumps({'name': 'look', 'arguments': LOOKED}, ensure_ascii=False)}</tool_call>"
ENOUGH = 8000  # tokens, also for a text that repeats itself
PICTURES: dict[str, dict[str, Any]] = {
    CHAT: image(PNG),
    MESSAGES: {"type": "image", "source": source()},
    RESPONSES: {"type": "input_image", "image_url": PNG, "detail": "auto"},
}
# The prompt holds it, and the simulator knows what to answer.
MARKS = {"text": ("PLEASE-SAY-SOMETHING", SAID), "tools": ("PLEASE-LOOK", CALL), "json": ("PLEASE-DESCRIBE", TEXT)}


@dataclass(frozen=True)
class Question:
    number: int
    route: str
    stream: bool
    kind: str
    mix: Mix
    picture: bool = False

    def body(self, model: str) -> dict[str, Any]:
        prompt: Any = f"{MARKS[self.kind][0]} {'why ' * (self.number % 7)}"
        if self.picture:
            said = {"type": "input_text" if self.route == RESPONSES else "text", "text": prompt}
            prompt = [{"role": "user", "content": [said, PICTURES[self.route]]}]
        body = request_body(self.route, model, prompt)
        body |= {"stream": self.stream}
        if self.route == MESSAGES:
            body["max_tokens"] = ENOUGH
        if self.kind == "tools":
            body |= {"tools": tools(self.route)}
        elif self.kind == "json":
            body |= asked(self.route, "schema")
        return body

    def check(self, reply: Reply) -> None:
        """The answer is whole: nothing is missing, and nothing is there twice."""
        assert reply.status == 200
        assert reply.failure is None
        assert reply.finish == (CALLED[self.route] if self.kind == "tools" else _ENDS.get(self.route, "stop"))
        if self.stream and self.route in (CHAT, COMPLETIONS):
            assert reply.done
        if self.kind == "tools":
            assert [(call.name, call.arguments) for call in calls(reply)] == [("look", LOOKED)]
            assert reply.text.strip() == "I look."
        elif self.kind == "json":
            assert json.loads(reply.text) == GOOD
        elif not any(one.get("cumulative") for one in self.mix.attempts):
            assert reply.text == SAID


_ENDS = {"messages": "end_turn", "responses": "completed"}


def kinds_of(route: str, mix: Mix) -> list[str]:
    """Text that repeats itself is no JSON and no call."""
    if route == COMPLETIONS or any(one.get("cumulative") for one in mix.attempts):
        return ["text"]
    return ["text", "tools", "json"] if route in TOOL_ROUTES else ["text"]


def teach(simulator: Simulator) -> None:
    for mark, answer in MARKS.values():
        simulator.rule(answer, when=mark)


def one_of_each(number: int, mix: Mix) -> list[Question]:
    """A mix on every route, streamed and not; each kind has its turn."""
    found = []
    for at, (route, stream) in enumerate((route, stream) for route in ROUTES for stream in (False, True)):
        kinds = kinds_of(route, mix)
        found.append(Question(number + at, route, stream, kinds[(number // 8 + at) % len(kinds)], mix))
    return found


def drawn(number: int, mix: Mix, dice: random.Random) -> Question:
    route = dice.choice(ROUTES)
    return Question(number, route, dice.random() < 0.5, dice.choice(kinds_of(route, mix)), mix)


def id_of(reply: Reply) -> str:
    """What an answer is told apart by."""
    if not reply.streamed:
        return str(reply.body["id"])
    first = reply.events[0].data
    return str((first.get("response") or first.get("message") or first)["id"])
