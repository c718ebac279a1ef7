"""The cases of calling tools. None is passed by a model that answers with any text: each wants a call, or one word."""

from __future__ import annotations

import re

from gateway.doctor.deep.case import Case, Kind, tool
from gateway.doctor.deep.checking import Like, calls, says

WEATHER = tool("get_weather", "The weather of a city now.", city="string")
READ = tool("read_file", "The content of a file.", path="string")
WRITE = tool("write_file", "Write a file; what was in it is replaced.", path="string", content="string")
LIST = tool("list_files", "The names of the files in a folder.", folder="string")
SEARCH = tool("search_files", "The lines of all files in which a text is found.", text="string")
DELETE = tool("delete_file", "Delete a file for ever.", path="string")
RUN = tool("run_command", "Run a command in the shell.", command="string")
CODING = (READ, WRITE, LIST, SEARCH, DELETE, RUN)

_PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "email": {"type": "string"}},
    "required": ["name", "email"],
    "additionalProperties": False,
}
_ITEM = {
    "type": "object",
    "properties": {"article": {"type": "string"}, "count": {"type": "integer"}, "gift": {"type": "boolean"}},
    "required": ["article", "count", "gift"],
    "additionalProperties": False,
}
_ADDRESS = {
    "type": "object",
    "properties": {"street": {"type": "string"}, "geo": {"type": "array", "items": {"type": "number"}}},
    "required": ["street", "geo"],
    "additionalProperties": False,
}
EVENT = tool(
    "create_event",
    "Put an event into the calendar.",
    title="string",
    attendees={"type": "array", "items": _PERSON},
    tags={"type": "array", "items": {"type": "string"}},
)
ORDER = tool("place_order", "Order articles.", items={"type": "array", "items": _ITEM}, address=_ADDRESS)
THERMOSTAT = tool("set_thermostat", "Heat a room.", room="string", degrees="number", minutes="integer")
TICKET = tool(
    "update_ticket",
    "Change a ticket.",
    number="integer",
    status={"type": "string", "enum": ["open", "waiting", "closed"]},
    notify="boolean",
)
FIND = tool(
    "find", "Search the manual.", query="string", limit="integer", language="string", optional=("limit", "language")
)
TIME = tool("get_server_time", "The time on the server.")
NOTE = tool("save_note", "Keep a note.", title="string", body="string")

CODE = 'def greet(name: str) -> str:\n    """Say "hello"."""\n\treturn f\'C:\\\\temp\\n{name}\'\n'
LONG = "".join(f'RULES[{n}] = ("rule {n}", r"\\d{{{n}}}", {n * 7})\n' for n in range(1, 41))
NOTE_BODY = "Ação às 9h30 — não esqueça o pão de queijo ☕ e o convite à Íris 🚀"

CASES = (
    Case(
        "one call", Kind.TOOLS, "What is the weather in Paris right now? Use the tool.",
        calls(("get_weather", {"city": Like(r"\AParis\b")})), (WEATHER,),
    ),
    Case(
        "the right one of six tools", Kind.TOOLS, "In which lines of the project does parse_invoice stand? One call.",
        calls(("search_files", {"text": "parse_invoice"})), CODING,
    ),
    Case(
        "numbers as numbers", Kind.TOOLS, "Heat the kitchen to 21.5 degrees for 90 minutes.",
        calls(("set_thermostat", {"room": Like(r"\Akitchen\Z"), "degrees": 21.5, "minutes": 90})), (THERMOSTAT, TIME),
    ),
    Case(
        "enum and boolean", Kind.TOOLS, "Ticket 4711 waits for the customer now. Set that, and notify nobody.",
        calls(("update_ticket", {"number": 4711, "status": "waiting", "notify": False})), (TICKET, TIME),
    ),
    Case(
        "a list of objects", Kind.TOOLS,
        "Put an event titled 'Design review' into the calendar with Ana (ana@example.com) and Bo (bo@example.com), "
        "and the tags ux and q3, in this order.",
        calls((
            "create_event",
            {
                "title": "Design review",
                "attendees": [
                    {"name": "Ana", "email": "ana@example.com"}, {"name": "Bo", "email": "bo@example.com"},
                ],
                "tags": ["ux", "q3"],
            },
        )), (EVENT,),
    ),
    Case(
        "objects in objects", Kind.TOOLS,
        "Order three of article A-17 and, as a gift, one of article B-2, in this order, in one call. The street is "
        "'Rua Augusta 100', its coordinates are -23.55 and -46.66.",
        calls((
            "place_order",
            {
                "items": [
                    {"article": "A-17", "count": 3, "gift": False}, {"article": "B-2", "count": 1, "gift": True},
                ],
                "address": {"street": "Rua Augusta 100", "geo": [-23.55, -46.66]},
            },
        )), (ORDER,),
    ),
    Case(
        "a tool without arguments", Kind.TOOLS, "What time is it on the server?",
        calls(("get_server_time", {})), (TIME, WEATHER),
    ),
    Case(
        "two calls at once", Kind.TOOLS, "What is the weather in Paris and in Tokyo? Make both calls at once.",
        calls(("get_weather", {"city": Like(r"\AParis\b")}), ("get_weather", {"city": Like(r"\ATokyo\b")})),
        (WEATHER,),
    ),
    Case(
        "two tools at once", Kind.TOOLS, "Read README.md and list the folder src. Make both calls at once.",
        calls(
            ("read_file", {"path": Like(r"\A(\./)?README\.md\Z")}),
            ("list_files", {"folder": Like(r"\A(\./)?src/?\Z")}),
        ),
        CODING,
    ),
    Case(
        "a call that is demanded", Kind.TOOLS, "Tell me something about Lisbon.",
        calls(("get_weather", {"city": Like(r"\ALisbo")})), (WEATHER, TIME),
        {"tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
    ),
    Case(
        "no call where none is wanted", Kind.TOOLS, "What is 17 + 25? Answer with the number alone.",
        says(r"\b42\b"), (WEATHER, TIME),
    ),
    Case(
        "no tool made up", Kind.TOOLS,
        "Send an e-mail to ana@example.com that says hello. If you have no tool for that, call none and answer with "
        "the one word IMPOSSIBLE.",
        says(r"\bIMPOSSIBLE\b"), (WEATHER, TIME),
    ),
    Case(
        "optional arguments left out", Kind.TOOLS, "Search the manual for 'timeout'. Set nothing else.",
        calls(("find", {"query": "timeout"})), (FIND,),
    ),
    Case(
        "code with quotes and backslashes", Kind.TOOLS,
        f"Write exactly the text between the fences to greet.py; it ends with a line break.\n```\n{CODE}```",
        calls(("write_file", {"path": Like(r"\A(\./)?greet\.py\Z"), "content": Like(rf"\A{re.escape(CODE)}?\Z")})),
        CODING,
    ),
    Case(
        "a long text, exactly", Kind.TOOLS,
        f"Write exactly the 40 lines between the fences to rules.py.\n```\n{LONG}```",
        calls(("write_file", {"path": Like(r"\A(\./)?rules\.py\Z"), "content": Like(rf"\A{re.escape(LONG)}?\Z")})),
        CODING,
    ),
    Case(
        "Portuguese and emoji", Kind.TOOLS,
        f"Keep a note titled 'Reunião de São João' with exactly this body: {NOTE_BODY}",
        calls(("save_note", {"title": "Reunião de São João", "body": NOTE_BODY})), (NOTE,),
    ),
)  # fmt: skip
