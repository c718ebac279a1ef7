"""How the line begins in which a marker stands: that says whether it is quoted."""

from custom_handlers.emulation.parser.markers import SPACE, blank

_HEAD = 32  # so much of the beginning of a line says what kind of line it is
_CODE = 4  # blanks in front of a line of code
_UNSEEN = str.maketrans("", "", "\u200b\u200c\u200d\u2060\ufeff\r")


class Line:
    """The line that an answer is in. What is emitted of it is added; `text` below goes on behind that, after its first
    character, which is emitted already.
    """

    def __init__(self) -> None:
        self._head = ""
        self._ticks = 0  # runs of backticks in it
        self.short = True  # is more of the line needed
        self._looked_over = ("", 1, -1)  # a text, how far, and where the last line in that begins

    def begin(self) -> None:
        self._head, self._ticks, self.short = "", 0, True

    def add(self, text: str) -> None:
        if "\n" in text:
            line = text.rindex("\n") + 1
            self._head = text[line : line + _HEAD]
            self._ticks = text.count("```", line)
        elif self.short:
            self._head += text[:_HEAD]
            self._ticks += text.count("```")
        else:
            self._ticks += text.count("```")
        self.short = len(self._head) < _HEAD

    def in_code(self, text: str, at: int) -> bool:
        """Does the marker at `at` end code within the line that three backticks have begun?"""
        line = self._start(text, at)
        ticks = text.count("```", line + 1, at) if line > 0 else self._ticks + text.count("```", 1, at)
        return ticks % 2 == 1

    def _start(self, text: str, at: int) -> int:
        """Where the line break is in front of `at`, or -1. From marker to marker nothing is looked over twice."""
        same, done, line = self._looked_over
        if same is not text or at < done:
            done, line = 1, -1
        if (found := text.rfind("\n", done, at)) >= 0:
            line = found
        self._looked_over = (text, max(at, 1), line)
        return line

    def place(self, text: str, at: int) -> str:
        """Where the marker at `at` stands in its line: start, indented, middle or quoted."""
        if at and text[at - 1] == "\\":
            return "quoted"
        line = self._start(text, at)
        lead = text[line + 1 : min(at, line + 1 + _HEAD)] if line > 0 else self._head + text[1 : min(at, _HEAD + 1)]
        lead = lead[:_HEAD]
        indent = lead[: len(lead) - len(lead.lstrip(SPACE))].translate(_UNSEEN).expandtabs(4)
        if blank(lead) and len(lead) < _HEAD:
            return "indented" if len(indent) >= _CODE else "start"
        return "quoted" if len(indent) >= _CODE or lead.lstrip(SPACE)[:1] == ">" else "middle"
