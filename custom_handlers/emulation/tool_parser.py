"""Finds the tool calls in an answer while it streams in.

    begin ─┬─ <think> ──────────► Thought
           └─ text ─────────────► Text, at once, but for a tail that may turn out to belong to a call
                └─ <tool_call> ─► Call, once it is complete and right; else Broken, and nothing after it

The parts are the same for every way of cutting an answer into pieces, but for where they are cut themselves.
"""

import secrets

from custom_handlers.emulation import tool_marks
from custom_handlers.emulation.lenient_json import Unreadable
from custom_handlers.emulation.parts import Broken, Call, Part, Text, Thought
from custom_handlers.emulation.tool_calls import CALLISH, read_calls
from custom_handlers.emulation.tool_prompt import Tooling

_THINK, _THOUGHT = "<think>", "</think>"
_SLICE = 8192  # of the buffer what is left is copied for each call in it


class ToolCallParser:
    """`feed` the pieces of one answer, then `finish`; both give the parts that are certain by then.

    Without `tooling` no call is looked for. `first_index` is the index of the first call. With `thinking` the answer
    begins inside a thought, as with models whose prompt opens one. With `turns` the prompt was a transcript: a turn that
    the model invents ends the answer. Raises nothing.
    """

    def __init__(
        self, tooling: Tooling | None, *, first_index: int = 0, thinking: bool = False, turns: bool = False
    ) -> None:
        self.unfinished_thought = ""  # after `finish`: a thought that the answer began and never ended
        self._tooling = tooling
        self._first = self._index = first_index
        self._step = ToolCallParser._think if thinking else ToolCallParser._begin
        self._thought = False  # has one been told
        self._parts: list[Part] = []
        self._buffer = ""
        self._space: list[str] = []  # beside a call, or at the end: told only if text follows
        self._fences = 0  # marks of code fences in the text so far; an odd number means that one is open
        self._wrapped = False  # a call stood in a fence of its own, whose end is not told either
        self._kind = self._mark = self._quote = ""
        self._body: list[str] = []

    def feed(self, text: str) -> list[Part]:
        if self._tooling is None and self._step is ToolCallParser._text and not (self._buffer or self._space):
            return [Text(text)] if text else []
        if self._step is ToolCallParser._text and not self._buffer and tool_marks.plain(text):
            self._parts, end = [], len(text.rstrip())
            self._tell(text[:end])
            self._tell(text[end:])
            return self._parts
        parts: list[Part] = []
        for at in range(0, len(text), _SLICE):
            self._buffer += text[at : at + _SLICE]
            parts += self._go_on(last=False)
        return parts

    @property
    def ended(self) -> bool:
        """Can nothing of what still comes be told? Then the rest need not be waited for."""
        return self._step is ToolCallParser._rest

    def finish(self) -> list[Part]:
        """The rest. A call that the end of the answer cuts off is Broken; only its end mark may be missing."""
        parts = self._go_on(last=True)
        while self._step is ToolCallParser._call:
            self._end_call("", at_end=True)
            parts += self._go_on(last=True)
        return parts

    def _go_on(self, *, last: bool) -> list[Part]:
        self._parts = []
        while self._step(self, last):
            pass
        return self._parts

    # Each step takes what it can from the buffer, and says whether the next one can go on.

    def _begin(self, last: bool) -> bool:
        head = self._buffer[: tool_marks.WINDOW].lstrip()
        if head.startswith(_THINK):
            self._buffer = self._buffer.lstrip()[len(_THINK) :]
            self._step = ToolCallParser._think
        elif not last and len(self._buffer) < tool_marks.WINDOW and _THINK.startswith(head):
            return False
        else:
            self._step = ToolCallParser._answer
        return True

    def _think(self, last: bool) -> bool:
        text, ended, rest = self._buffer.partition(_THOUGHT)
        end = len(text)
        if not ended and not last:
            end -= next((n for n in range(len(_THOUGHT) - 1, 0, -1) if text.endswith(_THOUGHT[:n])), 0)
        end = tool_marks.without_space(text, end)
        told = text[:end] if self._thought else text[:end].lstrip()
        if told:
            self._parts.append(Thought(told))
            self._thought = True
        self._buffer = rest if ended else text[end:]
        if ended:
            self._thought, self._step = True, ToolCallParser._answer
        return bool(ended)

    def _answer(self, last: bool) -> bool:
        if self._thought:
            self._buffer = self._buffer.lstrip()
        head = self._buffer[: tool_marks.WINDOW]
        undecided = tool_marks.BARE_BEGUN.fullmatch(head) if self._tooling else self._thought and not head
        if undecided and not last and len(head) < tool_marks.WINDOW:
            return False
        self._step = ToolCallParser._text
        if self._tooling and tool_marks.BARE.match(head):
            self._open_call("bare", "")
        return True

    def _text(self, last: bool) -> bool:
        text = self._buffer
        mark = tool_marks.next_open(text) if self._tooling is not None else None
        if mark is None:
            return self._tell_rest() if last else self._tell_certain()
        before, kind = text[: mark.start()], mark.lastgroup or ""
        self._buffer = text[mark.end() :]
        end, fence = len(before), None
        if kind in ("tag", "escaped"):
            fence = tool_marks.FENCE.search(before, max(end - tool_marks.WINDOW, 0))
            if fence and (self._fences + before.count("```", 0, fence.start())) % 2 == 0:
                self._wrapped, end = True, fence.start()
        told = tool_marks.without_space(before, end)
        self._tell(before[:told])
        self._tell(before[told:end])
        if kind == "result" and self._index == self._first:
            self._tell(mark.group())
        elif kind == "result":  # behind its call the model goes on to invent the result
            self._step = ToolCallParser._rest
        elif kind != "stray":
            self._open_call(kind, mark.group())
        return True

    def _call(self, last: bool) -> bool:
        special, end_mark = tool_marks.ENDS[self._kind]
        text, at = self._buffer, 0
        while at < len(text):
            if self._quote:
                at = tool_marks.STRING[self._quote].match(text, at).end()  # type: ignore[union-attr]
                if at == len(text) or text[at] == "\\":
                    break
                self._quote = ""
                at += 1
            found = special.search(text, at)
            at = found.start() if found else len(text)
            if found and found.group() in "\"'":
                self._quote = found.group()
            elif found and (end := end_mark.match(text, at)):
                self._body.append(text[:at])
                self._buffer = text[end.end() :]
                self._end_call(end.group())
                return True
            elif found and len(text) - at < tool_marks.MARK and not last:
                break
            at += 1
        self._body.append(text[:at])
        self._buffer = text[at:]
        return False

    def _behind(self, last: bool) -> bool:
        """What directly follows a call: the end of its own fence, another call, or an invented next turn."""
        rest = self._buffer.lstrip()
        self._tell(self._buffer[: len(self._buffer) - len(rest)])
        self._buffer = rest
        if self._wrapped and rest.startswith("```"):
            self._wrapped, self._buffer = False, rest[3:]
        elif (turn := tool_marks.TURN.match(rest)) and (last or turn.end() < len(rest)):
            self._step = ToolCallParser._rest
        elif (mark := tool_marks.next_open(rest)) and mark.start() == 0:
            self._step = ToolCallParser._text
        elif not last and (tool_marks.turn_begun(rest) or (self._wrapped and not tool_marks.certain(rest))):
            return False
        else:
            self._wrapped, self._step = False, ToolCallParser._text
        return True

    def _rest(self, last: bool) -> bool:
        self._buffer = ""
        return False

    def _open_call(self, kind: str, mark: str) -> None:
        self._kind, self._mark, self._quote, self._body = kind, mark, "", []
        self._step = ToolCallParser._call

    def _end_call(self, mark: str, *, at_end: bool = False) -> None:
        body, self._body = "".join(self._body), []
        self._step = ToolCallParser._text
        if not body.strip() and not mark and not at_end:  # <tool_calls> around <tool_call>
            return
        calls, problem = self._read(tool_marks.END_BEGUN.sub("", body) if at_end else body, closed=bool(mark))
        raw = f"{self._mark}{body}{mark}"
        if problem and at_end and (inner := tool_marks.ENDS[self._kind][1].search(body)):
            # Quotes that do not match hid the end mark.
            self._body, self._buffer = [body[: inner.start()]], body[inner.end() :] + self._buffer
            self._end_call(inner.group())
        elif problem and (self._kind != "tag" or not (mark or CALLISH.match(body))):
            self._tell(raw.rstrip())
            self._tell(raw[len(raw.rstrip()) :])
        else:
            self._parts += calls
            self._index += len(calls)
            if problem:
                self._parts.append(Broken(raw, problem))
            ends = problem or (self._tooling and self._tooling.single)
            self._step = ToolCallParser._rest if ends else ToolCallParser._behind

    def _read(self, body: str, *, closed: bool) -> tuple[list[Call], str]:
        """The calls in `body` up to the first that cannot be made, and why that cannot."""
        calls: list[Call] = []
        assert self._tooling is not None
        try:
            for name, given in read_calls(body, closed=closed)[: 1 if self._tooling.single else None]:
                found = self._tooling.arguments(name, given)
                if found.misfit:
                    return calls, found.misfit
                calls.append(Call(self._index + len(calls), f"call_{secrets.token_hex(12)}", found.name, found.json))
        except Unreadable as unreadable:
            return calls, str(unreadable)
        return calls, ""

    def _tell_certain(self) -> bool:
        end = tool_marks.certain(self._buffer) if self._tooling is not None else len(self._buffer)
        self._tell(self._buffer[:end])
        self._buffer = self._buffer[end:]
        return False

    def _tell_rest(self) -> bool:
        text, self._buffer = self._buffer, ""
        if self._tooling is not None and (cut := tool_marks.CUT.search(text)):
            self._tell(text[: cut.start()].rstrip())
            self._parts.append(Broken(cut.group(), "it is cut off"))
            self._step = ToolCallParser._rest
            return False
        self._tell(text.rstrip() if self._index > self._first else text)
        if self._space and self._index == self._first:
            self._parts.append(Text("".join(self._space)))
        return False

    def _tell(self, text: str) -> None:
        if text.strip():
            self._fences += text.count("```")
            self._parts.append(Text("".join(self._space) + text))
            self._space = []
        elif text:
            self._space.append(text)
