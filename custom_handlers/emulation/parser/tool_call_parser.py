"""Finds thoughts, tool calls and invented turns in an answer while it streams in; all the rest is text, byte for byte.

A call counts where it stands alone: at the start of a line, up to three blanks before it, and outside code fences. It
is made as soon as it is complete. It is only quoted behind `> ` or a backslash, in an indented block, and in a fence
that holds anything but calls. What can be either waits for the end of the answer and counts if nothing but calls
follows: a call behind text on its line (Qwen, GLM and Mistral write `Let me look.<tool_call>...`), a fence that holds
nothing but calls, JSON without tags that names an offered tool. Tags around what cannot be a call are prose, unless
such a block stands alone at the end of the answer: then it is an attempt, and Broken.

    text ─┬─ <think> ─────► Thought, until its end
          ├─ ``` ─────────► text until the end of the fence
          ├─ === USER === ► the end: the model goes on to invent a turn
          └─ <tool_call> ─► Call, once it is complete and right; else Broken, and nothing after it

The parts are the same for every way of cutting an answer into pieces, but for where they are cut themselves.
"""

import re
from collections.abc import Sequence

from custom_handlers.emulation.parser import markers
from custom_handlers.emulation.parser.answer_text import CALL, FENCE, TEXT, THOUGHT
from custom_handlers.emulation.parser.call_markers import CALLS, LOOSE, CallMarkers, ends_no_thought
from custom_handlers.emulation.parser.call_reader import CallReader
from custom_handlers.emulation.parser.markers import LAST_FENCE, LAST_TURN, OPEN, blank
from custom_handlers.emulation.parser.open_call import Reading
from custom_handlers.emulation.parser.output import Output
from custom_handlers.emulation.parser.reasoning import OpenReasoning
from custom_handlers.emulation.parser.segments import InvalidToolCall, Reasoning, Segment
from custom_handlers.emulation.tools import ToolConfig

_SLICE = 8192  # of the buffer what is left is copied for each marker in it


class ToolCallParser(CallReader):
    """`feed` the pieces of one answer, then `finish`; both give the parts that are certain by then.

    Without `tool_config` no call is looked for. `first_index` is the index of the first call. With `thinking_open` the
    answer begins inside a thought, as with models whose template opens one. With `turns` the prompt was a transcript:
    a turn that the model invents ends the answer. Raises nothing.
    """

    def __init__(
        self, tool_config: ToolConfig | None, *, first_index: int = 0, thinking_open: bool = False, turns: bool = False
    ) -> None:
        single = tool_config is not None and not tool_config.parallel_tool_calls
        super().__init__(Output(first_index, single=single), tool_config)
        self.unfinished_thought = ""  # after `finish`: a thought that the answer began and never ended
        self._turns = turns
        self._markers = CallMarkers(tool_config) if tool_config else None
        self._doubt = False  # behind <example> or a thought's tag in a line: calls may be quoted
        self._harmony = False  # has a header of gpt-oss been seen
        self._final = False  # and did it say that what follows is the answer
        self._thought = OpenReasoning()
        self._steps = {TEXT: self._text, FENCE: self._fenced, CALL: self._in_call, THOUGHT: self._think}
        if thinking_open:
            self._thought = OpenReasoning(begun=True)
            self._mode, self._buffer = THOUGHT, ""

    @property
    def ended(self) -> bool:
        """Can nothing of what still comes be emitted? Then the rest need not be waited for."""
        return self._out.ended

    def feed(self, text: str) -> Sequence[Segment]:
        """Not to be changed: what a piece comes to is remembered."""
        if self._flow:
            behind = self._held + text
            if passed := self._flow.known.get(behind) or self._flow.look(behind):
                self._run.append(text)
                parts, self._held = passed
                return parts
            self._leave_flow()
        elif self._string:
            if self._string.goes_on(text):
                return []
            text = self._leave_string() + text
        self._read(text)
        if self._mode == CALL:
            self._enter_string()
        else:
            self._enter_flow()
        return self._out.take()

    def finish(self) -> list[Segment]:
        """The rest. A call that the end of the answer cuts off is Broken; only its end marker may be missing."""
        self._leave_flow()
        self._buffer += self._leave_string()
        self._go_on(last=True)
        if self._left:
            self._read(self._left)
            self._go_on(last=True)
        if self._mode == THOUGHT and not self._out.ended:
            self.unfinished_thought = self._thought.text
            if self._tool_config and (call := self._thought.call_at_end):
                self._out.add(InvalidToolCall(call, "it stands in a thought that never ended"))
        self._out.finish()
        return self._out.take()

    def _read(self, text: str) -> None:
        for at in range(0, len(text), _SLICE):
            self._buffer += text[at : at + _SLICE]
            self._go_on(last=False)

    def _go_on(self, *, last: bool) -> None:
        while not self._out.ended and self._steps[self._mode](last):
            pass

    # Each step takes what it can from the buffer, and says whether the next one can go on.

    def _text(self, last: bool) -> bool:
        text = self._buffer
        begun = len(text) if last else -1  # not known yet
        at = 0 if text[0] == "\n" else 1
        while marker := OPEN.search(text, at):
            if marker.start() >= len(text) - markers.WINDOW:
                begun = markers.begun(text) if begun < 0 else begun
                if marker.start() > begun:
                    break
            kind = marker.lastgroup or ""
            start = marker.start(kind) if text[marker.start()] == "\n" else marker.start()
            if self._wrapped and not blank(text[1:start]):
                break
            went_on = self._meet(kind, marker, start, last)
            if went_on is not None:
                return went_on
            at = marker.start() + 1
        if last:
            return self._text_ends()
        begun = markers.begun(text) if begun < 0 else begun
        if self._wrapped and not blank(text[1:begun]):
            self._unwrap()
            return True
        self._pass(begun)
        return False

    def _meet(self, kind: str, marker: re.Match[str], start: int, last: bool) -> bool | None:
        """What the marker means where it stands: None if nothing, False if that needs more text."""
        place = self._line.place(self._buffer, start)
        if place == "quoted":
            self._doubt = self._doubt or kind == "think"
            return None
        after_call = self._after_call and blank(self._buffer[1:start])
        place = "start" if after_call and place == "indented" else place
        match kind:
            case "turn" if (self._turns or after_call) and place == "start":
                if "ASSISTANT" in marker.group() and not after_call and self._is_silent(start):  # its own header
                    return self._skip_marker(start, marker.end() - 1)
                self._pass(start)
                return self._end()
            case "result" if after_call:
                return self._end()
            case "stray" if after_call:
                return self._skip_marker(marker.start(), marker.end())
            case "token" if after_call or self._harmony:
                return self._skip_marker(marker.start(), marker.end())
            case "fence" | "tilde":
                return self._meet_fence(marker, start, last, calls=self._markers is not None)
            case "quoting" | "quoted":
                self._doubt = kind == "quoting"
            case "thought" | "think" | "bracket" | "channel":
                return self._meet_thought(kind, marker, place, after_call, last)
            case "harmony" if "to=" not in marker.group():
                self._harmony, self._final = True, "final" in marker.group()
                if "analysis" in marker.group():
                    return self._open_thought(marker)
                return self._skip_marker(marker.start(), marker.end())
            case _ if kind in CALLS and self._counts(kind, marker, start, place, after_call):
                sure = place == "start" and kind not in LOOSE and not (self._wrapped or self._doubt)
                if after_call and "\n" not in self._buffer[1:start]:
                    sure = sure and self._sure
                self._harmony = self._harmony or kind == "harmony"
                return self._open(kind, marker, start, sure=sure)
        return None

    def _counts(self, kind: str, marker: re.Match[str], start: int, place: str, after_call: bool) -> bool:
        if self._markers is None or (self._final and kind in LOOSE):
            return False
        alone = after_call or self._wrapped or self._is_silent(start)
        return self._markers.count(kind, marker, place, alone=alone)

    def _meet_thought(self, kind: str, marker: re.Match[str], place: str, after_call: bool, last: bool) -> bool | None:
        text = self._buffer
        if self._wrapped:
            return None
        following = text[marker.end() : marker.end() + 1]
        if not following and not last and place == "middle":
            self._pass(marker.start())
            return False
        if kind != "thought":
            if kind == "think" and place != "start" and following != "\n":
                self._doubt = True
                return None
            return self._open_thought(marker)
        if self._doubt or not marker.group().startswith("</think"):
            self._doubt = False
            return None
        if ends_no_thought(text[marker.start() - 1], following, place):
            return None
        self._skip_marker(marker.start(), marker.end())
        return self._out.trim()

    def _open_thought(self, marker: re.Match[str]) -> bool:
        rest = self._buffer[marker.end() :]
        self._pass(marker.start())
        self._out.thought()
        self._thought, self._doubt = OpenReasoning(marker.group()), False
        self._buffer, self._mode = rest, THOUGHT
        return True

    def _think(self, last: bool) -> bool:
        emitted, rest, ended = self._thought.read(self._buffer, last)
        if emitted:
            self._out.add(Reasoning(emitted))
        self._buffer = rest
        if ended:
            self._after_marker(rest)
            self._out.trim()
        return ended

    def _text_ends(self) -> bool:
        text = self._buffer
        turn = LAST_TURN.search(text)
        if turn and (self._turns or (self._after_call and blank(text[: turn.start()]))):
            self._pass(turn.start() + 1)
            return self._end()
        if self._wrapped and (fence := LAST_FENCE.fullmatch(text)) and self._closes(fence[1]):
            self._skip_marker(1, len(text))
            return False
        if self._wrapped and not blank(text):
            self._unwrap()
            return True
        cut = markers.CUT.search(text) if self._tool_config else None
        if cut and self._line.place(self._buffer, cut.start()) != "quoted" and text[cut.start() - 1] not in "`\"'":
            self._pass(cut.start())
            self._out.call(Reading(cut.group(), problem="it is cut off"))
            return self._end()
        self._pass(len(text))
        return False
