"""Which markers begin a call: that depends on what they are, where they stand and which tools there are."""

import re

from custom_handlers.emulation.parser.markers import OPEN, SPACE, WINDOW, begun
from custom_handlers.emulation.tool_arguments import meant
from custom_handlers.emulation.tools import ToolConfig

CALLS = {"tag", "named", "harmony", "mistral", "plain", "bare", "python", "xml"}
LOOSE = {"plain", "bare", "python", "xml"}  # other text may look like these: they are never sure
_MOST_NAMES = 100


class CallMarkers:
    def __init__(self, tool_config: ToolConfig) -> None:
        self._tool_config = tool_config
        self._known: dict[str, bool] = {}  # names that are not quite those of tools: is one meant

    def count(self, kind: str, marker: re.Match[str], place: str, *, alone: bool) -> bool:
        """Can a call begin with `marker`? `alone` says that only calls stand before it, or nothing."""
        if place == "indented" and not alone:
            return False
        if kind not in LOOSE:
            return True
        if self._tool_config.tool_choice == "none" or place == "middle":
            return False
        if kind == "xml":
            return marker["xml"].strip("<> \r\n\t") in self._tool_config.tools.by_name
        if kind == "python":
            return self._offered(marker["python"].strip("[( "))
        return kind == "plain" or marker["first"] is None or self._offered(marker["first"])

    def _offered(self, name: str) -> bool:
        names = self._tool_config.tools.by_name
        if name not in names and name not in self._known and len(self._known) < _MOST_NAMES:
            self._known[name] = meant(name, names) is not None
        return name in names or self._known.get(name, False)


def call_begins(text: str, at: int, *, last: bool) -> bool | None:
    """Does what stands at `at`, behind a line break, begin with a call? None: there is too little of it to say."""
    first = at + len(text[at:]) - len(text[at:].lstrip(SPACE))
    line = max(text.rfind("\n", 0, first), at - 1)
    marker = OPEN.match(text, line) or OPEN.match(text, first)
    if marker and marker.lastgroup in CALLS:
        return True
    if last or len(text) - at >= WINDOW:
        return False
    return None if first == len(text) or begun(text, line) <= first else False


def ends_no_thought(before: str, following: str, place: str) -> bool:
    """Is the end of a thought that has not begun only talked about? `following` is what stands behind it."""
    return place == "middle" and (before in "\"'`(" or (before == " " and following not in ("", "\n", "\r")))
