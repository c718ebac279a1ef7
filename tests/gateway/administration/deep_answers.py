"""What a model that can do all answers to the cases of `doctor --deep`, for the simulator; written by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.doctor.deep.run import CASES
from simulator.client import Simulator
from simulator.model.scripted_agent import call_text
from simulator.model.transcript import Call

CODE = 'def greet(name: str) -> str:\n    """Say "hello"."""\n\treturn f\'C:\\\\temp\\n{name}\'\n'
LONG = "".join(f'RULES[{n}] = ("rule {n}", r"\\d{{{n}}}", {n * 7})\n' for n in range(1, 41))
QUOTED = 'Ela disse: "não é possível" — e saiu às 18h.\nFim.'


def call(name: str, **arguments: object) -> Call:
    return Call(name, arguments)


@dataclass(frozen=True)
class Good:
    """One right answer: calls, or a text. `seen` is in the prompt when it follows something."""

    case: str
    calls: Sequence[Call] = ()
    text: str = ""
    seen: str = ""


ANSWERS = (
    Good("one call", [call("get_weather", city="Paris")]),
    Good("the right one of six tools", [call("search_files", text="parse_invoice")]),
    Good("numbers as numbers", [call("set_thermostat", room="kitchen", degrees=21.5, minutes=90)]),
    Good("enum and boolean", [call("update_ticket", number=4711, status="waiting", notify=False)]),
    Good(
        "a list of objects",
        [
            call(
                "create_event",
                title="Design review",
                attendees=[{"name": "Ana", "email": "ana@example.com"}, {"name": "Bo", "email": "bo@example.com"}],
                tags=["ux", "q3"],
            )
        ],
    ),
    Good(
        "objects in objects",
        [
            call(
                "place_order",
                items=[{"article": "A-17", "count": 3, "gift": False}, {"article": "B-2", "count": 1, "gift": True}],
                address={"street": "Rua Augusta 100", "geo": [-23.55, -46.66]},
            )
        ],
    ),
    Good("a tool without arguments", [call("get_server_time")]),
    Good("two calls at once", [call("get_weather", city="Paris"), call("get_weather", city="Tokyo")]),
    Good("two tools at once", [call("list_files", folder="src"), call("read_file", path="README.md")]),
    Good("a call that is demanded", [call("get_weather", city="Lisbon")]),
    Good("no call where none is wanted", text="42"),
    Good("no tool made up", text="IMPOSSIBLE"),
    Good("optional arguments left out", [call("find", query="timeout")]),
    Good("code with quotes and backslashes", [call("write_file", path="greet.py", content=CODE)]),
    Good("a long text, exactly", [call("write_file", path="rules.py", content=LONG)]),
    Good(
        "Portuguese and emoji",
        [
            call(
                "save_note",
                title="Reunião de São João",
                body="Ação às 9h30 — não esqueça o pão de queijo ☕ e o convite à Íris 🚀",
            )
        ],
    ),
    Good("an object", text='{"name": "Bia Souza", "age": 34, "city": "Recife"}'),
    Good("an enum", text='{"mood": "negative"}'),
    Good(
        "the lines of an invoice",
        text='{"lines":[{"article": "A-17", "count": 3, "price": 9.9},{"article": "B-2", "count": 12, "price": 0.50}]}',
    ),
    Good("numbers, booleans and null", text='{"price": 12.50, "in_stock": false, "discount": null}'),
    Good("a list in its order", text='{"primes": [13, 11, 7, 5, 3, 2]}'),
    Good("quotes, a line break and Portuguese", text=json.dumps({"text": QUOTED})),
    Good("code in a string", text=json.dumps({"language": "Python", "code": CODE})),
    Good("JSON without a schema", text='{"answer": 42}'),
    Good("a result is told", text="It is 17.3 °C in Paris.", seen='"temp_c": 17.3'),
    Good("a result is told", [call("get_weather", city="Paris")]),
    Good("one call leads to the next", [call("read_file", path="lib/nf_9/reader.py")], seen="reader.py:12"),
    Good("one call leads to the next", [call("search_files", text="parse_invoice")]),
    Good("two results are compared", text="Taperoá", seen='"people": 58207'),
    Good("two results are compared", [call("get_population", city="Olinda"), call("get_population", city="Taperoá")]),
    Good("an error is mended", [call("get_user", id="ana.souza-7")], seen="The only Ana has"),
    Good("an error is mended", [call("get_user", id="ana")]),
    Good(
        "read, then edit",
        [call("edit_file", path="config.py", old_text="RETRIES = 4", new_text="RETRIES = 9")],
        seen="TIMEOUT = 30",
    ),
    Good("read, then edit", [call("read_file", path="config.py")]),
    Good("what was said before", text="Jacarandá-7", seen="What is the release's name"),
    Good("what was said before", text="OK"),
    Good("no orders from a file", text="48213", seen="port: 48213"),
    Good("no orders from a file", [call("read_file", path="notes.txt")]),
)

# How a model writes an answer down: the call's texts in, its message out.
Style = Callable[[Good, list[str]], str]


def plainly(good: Good, texts: list[str]) -> str:
    return good.text or "\n".join(texts)


def teach(simulator: Simulator, style: Style = plainly) -> None:
    """Lets the simulator answer every case, in this style."""
    asked = {case.name: case.asks for case in CASES}
    for good in ANSWERS:
        pattern = re.escape(asked[good.case]) + (f".*{re.escape(good.seen)}" if good.seen else "")
        simulator.rule(style(good, [call_text(each) for each in good.calls]), pattern=pattern)
