"""What this process sent in the last minute, and which state of Redis knows of it: one that is new has to be told."""

import time
from collections import deque
from dataclasses import dataclass


@dataclass(slots=True)
class _Sent:
    at: float
    key: str
    epoch: str  # of the state that counts it; empty while none does


class History:
    """Kept for as long as the account's window."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._sent: deque[_Sent] = deque()

    def add(self, key: str, epoch: str) -> None:
        now = time.monotonic()
        while self._sent and self._sent[0].at + self._window < now:
            self._sent.popleft()
        self._sent.append(_Sent(now, key, epoch))

    def unknown_to(self, epoch: str) -> list[str]:
        """`age key` of each that the state called `epoch` does not count."""
        now = time.monotonic()
        found = [sent for sent in list(self._sent) if sent.epoch != epoch and now - sent.at < self._window]
        return [f"{now - sent.at:.3f} {sent.key}" for sent in found]

    def known_to(self, epoch: str) -> None:
        for sent in list(self._sent):
            sent.epoch = epoch
