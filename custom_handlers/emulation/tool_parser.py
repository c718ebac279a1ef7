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

from custom_handlers.emulation import tool_marks
from custom_handlers.emulation.call_marks import CALLS, LOOSE, CallMarks, call_begins, ends_no_thought
from custom_handlers.emulation.lines import Line
from custom_handlers.emulation.open_call import MOST_PROSE, OpenCall, Reading
from custom_handlers.emulation.output import Output
from custom_handlers.emulation.parts import Broken, Part, Thought
from custom_handlers.emulation.thoughts import OpenThought
from custom_handlers.emulation.tool_marks import FENCE_END, LAST_FENCE, LAST_TURN, OPEN, SUSPECT, blank
from custom_handlers.emulation.tool_prompt import Tooling

_SLICE = 8192  # of the buffer what is left is copied for each mark in it
_SMALL = 512  # a piece that is so short may be looked over twice
_AT_LAST_BRACKET = {"mistral", "plain", "xml"}


class ToolCallParser:
    """`feed` the pieces of one answer, then `finish`; both give the parts that are certain by then.

    Without `tooling` no call is looked for. `first_index` is the index of the first call. With `thinking` the answer
    begins inside a thought, as with models whose prompt opens one. With `turns` the prompt was a transcript: a turn
    that the model invents ends the answer. Raises nothing.
    """

    def __init__(
        self, tooling: Tooling | None, *, first_index: int = 0, thinking: bool = False, turns: bool = False
    ) -> None:
        self.unfinished_thought = ""  # after `finish`: a thought that the answer began and never ended
        self._tooling, self._turns = tooling, turns
        self._marks = CallMarks(tooling) if tooling else None
        self._out = Output(first_index, single=tooling is not None and tooling.single)
        self._step = ToolCallParser._text
        self._buffer = "\n"  # but in a call and in a thought with the character before it, which is told already
        self._line = Line()
        self._fence = ""  # the mark of the code fence that is open
        self._wrapped = False  # has the fence held nothing but calls so far
        self._behind = False  # directly behind a call: nothing but space since then
        self._sure = True  # is a call sure that follows in its line
        self._doubt = False  # behind <example> or a thought's tag in a line: calls may be quoted
        self._quick = False  # is nothing open, so that most pieces are text as they are
        self._harmony = False  # has a header of gpt-oss been seen
        self._final = False  # and did it say that what follows is the answer
        self._misquoted = False
        self._left = ""  # behind a call whose quotes hid its end
        self._call: OpenCall | None = None
        self._thought = OpenThought()
        if thinking:
            self._step, self._buffer = ToolCallParser._think, ""

    @property
    def ended(self) -> bool:
        """Can nothing of what still comes be told? Then the rest need not be waited for."""
        return self._out.ended

    def feed(self, text: str) -> list[Part]:
        if self._call and not self._buffer and len(text) < _SMALL and self._call.swallows(text):
            return []
        if self._quick and len(text) < _SMALL:  # most pieces are text as they are
            buffer = self._buffer + text
            mark = SUSPECT.search(buffer, buffer[0] != "\n")
            end = len(buffer) if mark is None else mark.start() if mark.end() == len(buffer) else -1
            if end >= 0:
                self._buffer = buffer[end - 1 if end else 0 :]
                told = buffer[1:end]
                if self._line.short or "\n" in told:
                    self._line.add(told)
                return self._out.plain(told)
        self._read(text)
        in_text = self._step is ToolCallParser._text
        self._quick = in_text and not (self._behind or self._out.holds or self._out.ended)
        return self._out.take()

    def finish(self) -> list[Part]:
        """The rest. A call that the end of the answer cuts off is Broken; only its end mark may be missing."""
        self._go_on(last=True)
        if self._left:
            self._read(self._left)
            self._go_on(last=True)
        if self._step is ToolCallParser._think and not self._out.ended:
            self.unfinished_thought = self._thought.text
            if self._tooling and (call := self._thought.call_at_end):
                self._out.add(Broken(call, "it stands in a thought that never ended"))
        self._out.finish()
        return self._out.take()

    def _read(self, text: str) -> None:
        for at in range(0, len(text), _SLICE):
            self._buffer += text[at : at + _SLICE]
            self._go_on(last=False)

    def _go_on(self, *, last: bool) -> None:
        while not self._out.ended and self._step(self, last):
            pass

    # Each step takes what it can from the buffer, and says whether the next one can go on.

    def _text(self, last: bool) -> bool:
        text = self._buffer
        begun = len(text) if last else -1  # not known yet
        at = 0 if text[0] == "\n" else 1
        while mark := OPEN.search(text, at):
            if mark.start() >= len(text) - tool_marks.WINDOW:
                begun = tool_marks.begun(text) if begun < 0 else begun
                if mark.start() > begun:
                    break
            kind = mark.lastgroup or ""
            start = mark.start(kind) if text[mark.start()] == "\n" else mark.start()
            if self._wrapped and not blank(text[1:start]):
                break
            went_on = self._meet(kind, mark, start, last)
            if went_on is not None:
                return went_on
            at = mark.start() + 1
        if last:
            return self._text_ends()
        begun = tool_marks.begun(text) if begun < 0 else begun
        if self._wrapped and not blank(text[1:begun]):
            self._unwrap()
            return True
        self._pass(begun)
        return False

    def _meet(self, kind: str, mark: re.Match[str], start: int, last: bool) -> bool | None:
        """What the mark means where it stands: None if nothing, False if that needs more text."""
        place = self._line.place(self._buffer, start)
        if place == "quoted":
            self._doubt = self._doubt or kind == "think"
            return None
        behind = self._behind and blank(self._buffer[1:start])
        place = "start" if behind and place == "indented" else place
        match kind:
            case "turn" if (self._turns or behind) and place == "start":
                if "ASSISTANT" in mark.group() and not behind and self._is_silent(start):  # it repeats its own header
                    return self._skip_mark(start, mark.end() - 1)
                self._pass(start)
                return self._end()
            case "result" if behind:
                return self._end()
            case "stray" if behind:
                return self._skip_mark(mark.start(), mark.end())
            case "token" if behind or self._harmony:
                return self._skip_mark(mark.start(), mark.end())
            case "fence" | "tilde":
                return self._meet_fence(mark, start, last)
            case "quoting" | "quoted":
                self._doubt = kind == "quoting"
            case "thought" | "think" | "bracket" | "channel":
                return self._meet_thought(kind, mark, place, behind, last)
            case "harmony" if "to=" not in mark.group():
                self._harmony, self._final = True, "final" in mark.group()
                if "analysis" in mark.group():
                    return self._open_thought(mark)
                return self._skip_mark(mark.start(), mark.end())
            case _ if kind in CALLS and self._counts(kind, mark, start, place, behind):
                sure = place == "start" and kind not in LOOSE and not (self._wrapped or self._doubt)
                if behind and "\n" not in self._buffer[1:start]:
                    sure = sure and self._sure
                self._harmony = self._harmony or kind == "harmony"
                return self._open(kind, mark, start, sure=sure)
        return None

    def _is_silent(self, start: int) -> bool:
        return self._out.silent and blank(self._buffer[1:start])

    def _counts(self, kind: str, mark: re.Match[str], start: int, place: str, behind: bool) -> bool:
        if self._marks is None or (self._final and kind in LOOSE):
            return False
        silent = self._is_silent(start)
        return self._marks.count(kind, mark, place, alone=behind or self._wrapped or silent, silent=silent)

    def _meet_fence(self, mark: re.Match[str], start: int, last: bool) -> bool | None:
        text = self._buffer
        line = text[start : mark.end()]
        run = line[: len(line) - len(line.lstrip(line[0]))]
        if self._wrapped:
            if self._closes(run) and blank(line[len(run) :]):
                self._fence, self._wrapped = "", False
                return self._skip_mark(start, mark.end() - 1)
            self._unwrap()
            return True
        if self._line.in_code(text, start):
            return None
        inside = self._marks is not None and call_begins(text, mark.end(), last=last)
        if inside is None:
            self._pass(mark.start() + (text[mark.start()] == "\n"))
            return False
        self._fence = run
        if not inside:
            self._pass(mark.end())
            self._step, self._behind = ToolCallParser._fenced, False
            return True
        raw, rest = text[start : mark.end()], text[mark.end() :]
        self._pass(start)
        self._after_mark(rest, raw)
        self._wrapped, self._behind = True, False
        return True

    def _meet_thought(self, kind: str, mark: re.Match[str], place: str, behind: bool, last: bool) -> bool | None:
        text = self._buffer
        if self._wrapped:
            return None
        following = text[mark.end() : mark.end() + 1]
        if not following and not last and place == "middle":
            self._pass(mark.start())
            return False
        if kind != "thought":
            if kind == "think" and place != "start" and following != "\n":
                self._doubt = True
                return None
            return self._open_thought(mark)
        if self._doubt or not mark.group().startswith("</think"):
            self._doubt = False
            return None
        if ends_no_thought(text[mark.start() - 1], following, place):
            return None
        self._skip_mark(mark.start(), mark.end())
        return self._out.trim()

    def _open_thought(self, mark: re.Match[str]) -> bool:
        rest = self._buffer[mark.end() :]
        self._pass(mark.start())
        self._out.thought()
        self._thought, self._doubt = OpenThought(mark.group()), False
        self._buffer, self._step = rest, ToolCallParser._think
        return True

    def _think(self, last: bool) -> bool:
        told, rest, ended = self._thought.read(self._buffer, last)
        if told:
            self._out.add(Thought(told))
        self._buffer = rest
        if ended:
            self._after_mark(rest)
            self._out.trim()
        return ended

    def _fenced(self, last: bool) -> bool:
        text, at = self._buffer, 0
        begun = len(text) if last else tool_marks.fence_end_begun(text)
        while (end := FENCE_END.search(text, at)) and (end.start() < begun or last):
            if self._closes(end[1]):
                self._pass(end.end() - text.endswith("\n", end.start(), end.end()))
                self._fence, self._step = "", ToolCallParser._text
                return True
            at = end.start() + 1
        self._pass(begun)
        return False

    def _closes(self, run: str) -> bool:
        return run[0] == self._fence[0] and len(run) >= len(self._fence)

    def _unwrap(self) -> None:
        """The fence holds other things than calls: what it holds is text."""
        self._out.settle(meant=False)
        self._wrapped = self._behind = False
        self._step = ToolCallParser._fenced

    def _open(self, kind: str, mark: re.Match[str], start: int, *, sure: bool) -> bool:
        assert self._tooling is not None
        body = start if kind in ("bare", "python") else mark.end() - (kind in _AT_LAST_BRACKET)
        raw, rest = self._buffer[start:body], self._buffer[body:]
        self._pass(start)
        self._call = OpenCall(kind, raw, self._tooling, sure=sure, literal=self._misquoted)
        self._buffer, self._step = rest, ToolCallParser._in_call
        return True

    def _in_call(self, last: bool) -> bool:
        call = self._call
        assert call is not None
        if not call.decide(self._buffer, last=last):
            return False
        if call.prose and not call.sure:
            return self._quote(call.mark, call.text + self._buffer)
        end, behind = call.take(self._buffer, last=last)
        mark = "" if behind is None else self._buffer[end:behind]
        self._buffer = self._buffer[end if behind is None else behind :]
        if behind is not None:
            return self._close(call, mark, closed=True)
        if call.prose and (last or call.size > MOST_PROSE):
            return self._quote(call.mark, call.text + self._buffer)
        return last and self._close(call, "", closed=False)

    def _close(self, call: OpenCall, mark: str, *, closed: bool) -> bool:
        if closed and not mark and call.kind == "tag" and blank(call.text):  # a tag around the calls that follow
            self._after_mark(self._buffer, call.mark + call.text)
            self._behind, self._sure = True, call.sure
            return True
        reading = call.read(mark, closed=closed)
        if not closed and (reading is None or reading.problem) and (hidden := call.cut_short()):
            self._misquoted = True  # from here on quotes hide no end mark: each would be read to the end again
            mark, self._left, self._buffer = hidden[0], hidden[1] + self._buffer, ""
            reading = call.read(mark, closed=True)
        if reading is None:
            return self._quote(f"{call.mark}{call.text}{mark}", self._buffer)
        self._after_mark(self._buffer)
        self._out.call(reading)
        self._behind, self._sure = True, reading.sure
        return True

    def _quote(self, raw: str, rest: str) -> bool:
        """What seemed to be a call is text, and `rest` goes on behind it."""
        self._step, self._call = ToolCallParser._text, None
        if self._wrapped:
            self._buffer = f"\n{raw}{rest}"
            self._unwrap()
        else:
            self._tell(raw)
            self._buffer += rest
        return True

    def _after_mark(self, rest: str, mark: str = "") -> None:
        """Behind a call, a thought or a mark around them is as good as the start of a line."""
        if mark:
            self._out.hold(mark)
        self._buffer, self._step, self._call = "\n" + rest, ToolCallParser._text, None
        self._line.begin()

    def _skip_mark(self, start: int, end: int) -> bool:
        """A mark that is told only if the calls that it belongs to are quoted."""
        mark, rest = self._buffer[start:end], self._buffer[end:]
        self._pass(start)
        self._after_mark(rest, mark if self._out.holds else "")
        return True

    def _end(self) -> bool:
        self._out.settle(meant=True)
        self._out.ended = True
        return False

    def _text_ends(self) -> bool:
        text = self._buffer
        turn = LAST_TURN.search(text)
        if turn and (self._turns or (self._behind and blank(text[: turn.start()]))):
            self._pass(turn.start() + 1)
            return self._end()
        if self._wrapped and (fence := LAST_FENCE.fullmatch(text)) and self._closes(fence[1]):
            self._skip_mark(1, len(text))
            return False
        if self._wrapped and not blank(text):
            self._unwrap()
            return True
        cut = tool_marks.CUT.search(text) if self._tooling else None
        if cut and self._line.place(self._buffer, cut.start()) != "quoted" and text[cut.start() - 1] not in "`\"'":
            self._pass(cut.start())
            self._out.call(Reading(cut.group(), problem="it is cut off"))
            return self._end()
        self._pass(len(text))
        return False

    def _pass(self, end: int) -> None:
        """The buffer is text up to `end`."""
        text, rest = self._buffer[1:end], self._buffer[max(end, 1) :]
        if text:
            self._tell(text)
            self._buffer += rest

    def _tell(self, text: str) -> None:
        if self._step is ToolCallParser._fenced:
            self._out.put(text)
        else:
            self._out.text(text)
            self._behind = self._behind and blank(text)
            self._sure = self._sure or "\n" in text
        self._line.add(text)
        self._buffer = text[-1]
