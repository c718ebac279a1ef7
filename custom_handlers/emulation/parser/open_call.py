"""A call that has begun: what of it is there, and what it asks for once it has ended."""

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from custom_handlers.emulation.lenient_json import InvalidJSONError
from custom_handlers.emulation.parser.call_bodies import END_MARK, Body, Bracketed, Marked, Until, within
from custom_handlers.emulation.parser.json_calls import callish, placeholder, read_calls
from custom_handlers.emulation.parser.markers import SPACE
from custom_handlers.emulation.parser.segments import ToolCall
from custom_handlers.emulation.parser.tagged_calls import read_child_tags, read_named
from custom_handlers.emulation.tool_arguments import meant
from custom_handlers.emulation.tools import ToolConfig

_START = 300  # so much of a body says whether it is a call or prose about tags
_LONGEST_KNOWN, _MOST_KNOWN = 24, 1024
MOST_PROSE = 512  # what is held of a body that does not look like a call
_END_BEGUN = re.compile(r"<(?:/[\w:]{0,30}\s{0,9})?\Z")
_NAMED = re.compile(
    r"(?:name\s*=|function=)\s*[\"']?([^\"'<>/\s]+)|to=(?:functions\.)?([\w.-]+)|\[TOOL_CALLS\]\s*([\w.:/-]+)"
)
_WORD = re.compile(r"\w")
_BARE_NAME = re.compile(r'"(?:name|tool|function)"\s*:\s*"([^"\\]*)"')
_BARE_ARGUMENTS = re.compile(r'"(?:arguments|parameters)"\s*:')
# These count only if they name a tool that there is: JSON and lists stand in every other answer.
_LOOSE = ("bare", "python", "xml")


@dataclass(slots=True)
class Reading:
    """Of a call's text: the calls that can be made, and what is wrong with the one behind them.

    `sure` says that they are meant, whatever follows; `raw` is the text for the case that they are not.
    """

    raw: str
    calls: list[ToolCall] = field(default_factory=list)
    problem: str = ""
    misfit: ToolCall | None = None
    sure: bool = False


class OpenString:
    """A string that a call's body is in: what belongs to it goes to `pieces` after one look."""

    def __init__(self, within: Callable[[str], object], pieces: list[str]) -> None:
        self._within, self._pieces = within, pieces
        self._known: set[str] = set()  # short pieces that belong to it
        self.half = ""  # a backslash: it belongs to what follows it

    def goes_on(self, piece: str) -> bool:
        """Does all of `piece` belong to the string, and no escape end in the middle?"""
        if piece in self._known and not self.half:
            self._pieces.append(piece)
            return True
        text, half = self.half + piece, ""
        if not self._within(text):
            text, half = text[:-1], text[-1:]
            if half != "\\" or not self._within(text):
                return False
        elif len(piece) <= _LONGEST_KNOWN and not self.half and len(self._known) < _MOST_KNOWN:
            self._known.add(piece)
        self._pieces.append(text)
        self.half = half
        return True


class OpenCall:
    """`kind` is that of the marker, `marker` its text; `sure` says that the call counts whatever follows it.

    With `literal` no quotes hide an end marker.
    """

    def __init__(self, kind: str, marker: str, tool_config: ToolConfig, *, sure: bool, literal: bool = False) -> None:
        self.kind, self.marker, self.sure = kind, marker, sure
        self.prose = False  # does it begin like prose about tags; as `decide` finds out
        self.size = 0
        found = _NAMED.search(marker) if kind != "tag" else None
        self.name = next(filter(None, found.groups()), "") if found else ""
        if kind == "xml":
            self.name = marker.strip("<> \r\n\t")
        # The last two may end without an end marker: with the bracket that closes their first one.
        self._bracketed = kind == "harmony" or marker.startswith("<|python_")
        self._decided = kind not in ("tag", "harmony")
        self._tool_config = tool_config
        self._body = self._scanner(literal)
        self.pieces: list[str] = []  # of the body

    def _scanner(self, literal: bool) -> Body:
        match self.kind:
            case "bare" | "mistral" | "plain":
                return Bracketed("json")
            case "python":
                return Bracketed("python")
            case "xml":
                return Until(f"</{re.escape(self.name)}>")
        return Until(END_MARK.pattern) if literal else Marked()

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def decide(self, text: str, *, last: bool) -> bool:
        """Is there enough of the body, which begins with `text`, to say whether it is a call or prose about tags?"""
        if not self._decided:
            start = text[:_START].lstrip(SPACE)
            if self._bracketed and start[:1] in ("[", "{"):
                self._body = Bracketed("python")
            if END_MARK.match(start) or (not start and len(text) >= _START):
                self._decided = True
            elif self.kind == "harmony":
                self._decided = bool(start) or last
            else:
                found = callish(start, self._tool_config.tools.by_name, more=not last and len(text) < _START)
                self._decided, self.prose = found is not None, found is False
        return self._decided

    def take(self, text: str, *, last: bool) -> tuple[int, int | None]:
        """How much of `text` belongs to the body, and where the end marker ends if it is there."""
        end, behind = self._body.end(text, last)
        self.pieces.append(text[:end])
        self.size += end
        return end, behind

    @property
    def string(self) -> "OpenString | None":
        """The string that the body is in."""
        return OpenString(within(self._body.quote), self.pieces) if self._body.quote else None

    def cut_short(self) -> tuple[str, str] | None:
        """Cuts the body at an end marker that unbalanced quotes have hidden: the marker, and what is behind it."""
        text = self.text
        if not isinstance(self._body, Marked) or not (marker := END_MARK.search(text)):
            return None
        self.pieces = [text[: marker.start()]]
        return marker.group(), text[marker.end() :]

    def read(self, end: str, *, closed: bool) -> Reading | None:
        """What the call asks for, or None if it is text after all. `end` is the end marker, as it stands there."""
        text = self.text
        body = text if closed else _END_BEGUN.sub("", text)
        reading = Reading(f"{self.marker}{text}{end}", sure=self.sure)
        try:
            for name, given in self._asked(body, closed)[: None if self._tool_config.parallel_tool_calls else 1]:
                if not self._add(reading, name, given):
                    break
        except InvalidJSONError as invalid:
            reading.problem = str(invalid)
        if not reading.problem:
            return reading
        if self.kind in _LOOSE:
            return reading if reading.calls or self._names_a_tool(body) else None
        if closed and (self.prose or not body.strip(SPACE) or placeholder(body)):
            # Prose about tags; but a block that stands alone at the end of the answer was meant.
            meant = self.sure and (_WORD.search(body) or not body.strip(SPACE))
            reading.sure = False
            return reading if meant else None
        return reading

    def _asked(self, body: str, closed: bool) -> list[tuple[str, object]]:
        if self.kind == "xml":
            return read_child_tags(self.name, body)
        if self.name and self.kind != "python":
            return read_named(self.name, body, closed=closed)
        return read_calls(body, self._tool_config.tools.by_name, closed=closed)

    def _add(self, reading: Reading, name: str, given: object) -> bool:
        found = self._tool_config.arguments(name, given)
        if not found.json.startswith("{"):
            raise InvalidJSONError('"arguments" is not an object')
        custom = self._tool_config.tool(found.name).custom
        call = ToolCall(0, f"call_{secrets.token_hex(12)}", found.name, found.json, custom, found.unproven)
        if found.misfit:
            reading.problem, reading.misfit = found.misfit, call
            return False
        reading.calls.append(call)
        return True

    def _names_a_tool(self, body: str) -> bool:
        if self.kind != "bare":
            return self.kind == "python"
        name = _BARE_NAME.search(body, 0, 2000)
        return bool(name and _BARE_ARGUMENTS.search(body) and meant(name[1], self._tool_config.tools.by_name))
