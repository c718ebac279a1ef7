"""Limits of an answer that the service does not have: stop sequences, and `max_tokens`."""

from collections.abc import Iterable, Iterator

from custom_handlers.emulation.tokenizer import tokenizer

_WINDOW = 1000  # characters that are counted again when more follow, since a cut in a word makes a token of each half
_SLICE = 4096  # of a long piece no more is counted than the limit lets through


class MaxTokens:
    """Lets `limit` tokens through; `reached` as soon as something had to be cut off.

    Counts only when there could be too many already: what is left after a count is let through uncounted until it could
    be used up, so that a long answer is counted about once and not once a piece.
    """

    def __init__(self, limit: int) -> None:
        self.reached = False
        self._limit = limit
        self._possible = 0  # no more than so many tokens so far
        self._counted = 0  # tokens before the window
        self._window: list[str] = []

    def feed(self, text: str) -> str:
        """What of `text` is within the limit."""
        if len(text) <= _SLICE and not self.reached:
            return self._within(text)
        return "".join(self._slices(text))

    def _slices(self, text: str) -> Iterator[str]:
        for at in range(0, len(text), _SLICE):
            if self.reached:
                return
            yield self._within(text[at : at + _SLICE])

    def _within(self, text: str) -> str:
        self._window.append(text)
        self._possible += len(text) if text.isascii() else len(text.encode(errors="replace"))
        if self._possible <= self._limit:
            return text
        window = "".join(self._window)
        tokens = tokenizer().encode(window)
        if self._counted + len(tokens) > self._limit:
            self.reached = True
            return text[: max(self._kept(window, tokens[: self._limit - self._counted]) - len(window) + len(text), 0)]
        self._possible = self._counted + len(tokens)
        self._window = [window]
        if len(window) > _WINDOW:
            self._counted, self._window = self._possible, []
        return text

    @staticmethod
    def _kept(window: str, tokens: list[int]) -> int:
        """Characters of `window` that `tokens` make; a token may end inside one."""
        kept = tokenizer().decode(tokens)
        while not window.startswith(kept):
            kept = kept[:-1]
        return len(kept)


class StopSequences:
    """Lets text through up to the first of `stops` that is complete; `found` from then on.

    Of several that end at the same place the longest counts.
    """

    def __init__(self, stops: Iterable[str]) -> None:
        self.found = False
        self.text = ""  # the one that was found
        self._stops = [stop for stop in stops if stop]
        self._held = ""  # what may be the beginning of a stop sequence

    def feed(self, text: str) -> str:
        """What of the text so far can go out now."""
        if self.found or not self._stops:
            return "" if self.found else text
        text = self._held + text
        ends = [(at + len(stop), at) for stop in self._stops if (at := text.find(stop)) >= 0]
        if ends:
            end, at = min(ends)
            self.found, self._held, self.text = True, "", text[at:end]
            return text[:at]
        held = max(self._begun(text, stop) for stop in self._stops)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def finish(self) -> str:
        """What was held back, now that nothing follows."""
        held, self._held = self._held, ""
        return held

    @staticmethod
    def _begun(text: str, stop: str) -> int:
        longest = min(len(stop) - 1, len(text))
        return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
