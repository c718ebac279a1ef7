"""What has been emitted of an answer, and what waits until it is known whether it is a call or only quotes one."""

from dataclasses import replace

from custom_handlers.emulation.parser.markers import SPACE, blank
from custom_handlers.emulation.parser.open_call import Reading
from custom_handlers.emulation.parser.segments import InvalidToolCall, Segment, Text


class Output:
    """Calls get their numbers here, from `first`. With `single` the first call ends the answer."""

    def __init__(self, first: int, *, single: bool) -> None:
        self._first = self._index = first
        self._single = single
        self._parts: list[Segment] = []
        self.space: list[str] = []  # emitted only if text follows
        self._before_thought = 0  # so much of it
        self._held: list[Reading] = []
        self._waits = False  # is any call held that is not sure
        self.silent = True  # has no text been emitted
        self._trims = False  # space after reasoning is not emitted
        self.ended = False

    def take(self) -> list[Segment]:
        parts, self._parts = self._parts, []
        return parts

    @property
    def holds(self) -> bool:
        return bool(self._held)

    def add(self, part: Segment) -> None:
        self._parts.append(part)

    def text(self, text: str) -> None:
        """Text or space between calls: text shows that calls which are not sure are only quoted."""
        if self._held and blank(text):
            self.hold(text)
            return
        if self._held:
            self.settle(meant=False)
        if not self.ended:
            self.put(text)

    @property
    def space_before_text(self) -> str | None:
        """The space that is emitted with the text that follows; None if other things become of text or space now."""
        if self._held or self.ended or self.silent or self._trims or self._before_thought or len(self.space) > 1:
            return None
        return "".join(self.space)

    def passed(self, space: str) -> None:
        """Text has been emitted past this, and behind it `space` has not."""
        self.space = [space] if space else []

    def put(self, text: str) -> None:
        emitted = text.rstrip(SPACE)
        if emitted:
            end = len(emitted)
            if self._trims:
                emitted, self._trims = emitted.lstrip(SPACE), False
            if self.space:
                emitted = "".join(self.space) + emitted
                self.space, self._before_thought = [], 0
            self._parts.append(Text(emitted))
            if end < len(text):
                self.space.append(text[end:])
            self.silent = False
        elif text and not self._trims:
            self.space.append(text)

    def hold(self, text: str) -> None:
        """Markers around calls are emitted only if these are quoted."""
        if text:
            self._held.append(Reading(text))

    def thought(self) -> None:
        """Reasoning begins. Space before it is emitted only if text follows."""
        self.space = ["".join(self.space)] if not self.silent else []
        self._before_thought = len(self.space)

    def trim(self) -> bool:
        """Space that follows is not emitted."""
        self._trims = True
        return True

    def call(self, reading: Reading) -> None:
        self._held.append(reading)
        self._waits = self._waits or not reading.sure
        if not self._waits:
            self.settle(meant=True)

    def settle(self, *, meant: bool) -> None:
        """Makes the calls that are held if they are meant; otherwise emits them as text, except those that are sure."""
        held, self._held, self._waits = self._held, [], False
        for reading in held:
            if self.ended:
                return
            if not meant and not reading.sure:
                self.put(reading.raw)
            else:
                self._make(reading)

    def _make(self, reading: Reading) -> None:
        for call in reading.calls:
            self._parts.append(replace(call, index=self._index))
            self._index += 1
            self._trims = False
            if self._single:
                self.ended = True
                return
        if reading.problem:
            misfit = reading.misfit and replace(reading.misfit, index=self._index)
            self._parts.append(InvalidToolCall(reading.raw, reading.problem, misfit))
            self.ended = True

    def finish(self) -> None:
        self.settle(meant=True)
        if not self.ended and self._index == self._first:
            self._parts += [Text(space) for space in filter(None, ["".join(self.space[self._before_thought :])])]
