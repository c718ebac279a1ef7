"""Whose turn it is: start-time fair queueing (Goyal, Vin, Cheng, 1996) over the keys that wait.

Each key has one tag: the virtual time at which its next request starts. The lowest tag goes next, and the key's next
tag is 1 / weight further. A key that comes back after a rest starts at the present virtual time: it gets no arrears,
and nobody is punished for what he had while nobody else wanted it. Within a key it is first come, first served.
"""

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf


@dataclass(slots=True, eq=False)
class Request:
    """One that waits, or has waited. `number` orders requests by their arrival; lower is earlier."""

    key: str
    weight: float
    number: int
    asked_at: float
    waiting: bool = False
    went_at: float | None = None

    def __lt__(self, other: "Request") -> bool:
        return self.number < other.number


@dataclass(slots=True)
class _Line:
    """What is known of one key: its requests that wait, and how many went in the last window."""

    key: str
    weight: float
    tag: float = 0.0
    recent: int = 0
    size: int = 0
    requests: list[Request] = field(default_factory=list)  # a heap; those that have left are dropped at the top
    place: tuple[float, float, str] | None = None  # in the order of keys

    @property
    def comes_back(self) -> bool:
        """Whether it is likely to want its whole share: it asked again within the window, or waits with several."""
        return self.recent > 1 or self.size > 1

    def head(self) -> Request | None:
        while self.requests and not self.requests[0].waiting:
            heappop(self.requests)
        return self.requests[0] if self.requests else None


class FairQueue:
    """The requests that wait, by key. Each step costs O(log n) comparisons."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._order: list[tuple[float, float, str]] = []  # tag, number of the first request, key
        self._size = 0
        self._now = 0.0  # virtual time: the tag of the last that went
        self._returning = 0.0  # weight of all keys that come back

    def __len__(self) -> int:
        return self._size

    def join(self, request: Request, *, first: bool = False) -> None:
        """`request` waits; `first` for one that went and was refused: it gets its place and its turn back."""
        line = self._line(request)
        if first:
            line.tag -= 1 / line.weight
        elif not line.size:
            line.tag = max(line.tag, self._now)
        self._count(line, size=1)
        request.waiting = True
        heappush(line.requests, request)
        self._put(line)

    def leave(self, request: Request) -> bool:
        """False when it did not wait any more."""
        if not request.waiting:
            return False
        request.waiting = False
        line = self._lines[request.key]
        self._count(line, size=-1)
        if len(line.requests) > 2 * line.size + 16:
            line.requests = sorted(other for other in line.requests if other.waiting)
        self._put(line)
        self._forget(line)
        return True

    def pop(self) -> Request | None:
        """The request whose turn it is, which no longer waits."""
        if not self._order:
            return None
        line = self._lines[self._order[0][2]]
        request = line.head()
        assert request
        request.waiting = False
        self._count(line, size=-1)
        self._serve(line)
        self._put(line)
        return request

    def passed(self, request: Request) -> None:
        """`request` goes without having waited."""
        line = self._line(request)
        line.tag = max(line.tag, self._now)
        self._serve(line)

    def expired(self, key: str) -> None:
        """A request of `key` has left the window."""
        line = self._lines[key]
        self._count(line, recent=-1)
        self._forget(line)

    def given_back(self, key: str) -> None:
        """A request of `key` that went was not sent after all."""
        line = self._lines[key]
        line.tag -= 1 / line.weight
        self._put(line)
        self.expired(key)

    def places_before(self, key: str, weight: float, rate: float, gone: int) -> int:
        """How many will probably go before one more request of `key`.

        Others come back while it waits, and those who have had less go first, so what stands before it now is too
        little. It is the smaller of two: what others ask for at the speed of the last window (`gone` went in it, and
        `rate` may), and what they get if each takes its whole share.
        """
        line = self._lines.get(key) or _Line(key, weight)
        tag = max(line.tag, self._now) + line.size / weight
        others = self._size - line.size
        keys_before = bisect_left(self._order, (tag, inf, "")) - bool(line.size)
        free = 1 - (gone - line.recent) / rate
        by_demand = (line.size + others) / free if free > 0 else inf
        returning = self._returning - (line.weight if line.comes_back else 0)
        by_share = line.size + returning * (tag - self._now)
        return int(max(line.size + keys_before, min(by_demand, by_share)))

    def shares(self) -> dict[str, tuple[int, int]]:
        """For each key: how many wait, and how many went in the last window."""
        return {line.key: (line.size, line.recent) for line in self._lines.values()}

    def _line(self, request: Request) -> _Line:
        line = self._lines.get(request.key)
        if line is None:
            line = self._lines[request.key] = _Line(request.key, request.weight, self._now)
        elif line.weight != request.weight:
            self._returning += (request.weight - line.weight) * line.comes_back
            line.weight = request.weight
        return line

    def _serve(self, line: _Line) -> None:
        self._now = max(self._now, line.tag)
        line.tag += 1 / line.weight
        self._count(line, recent=1)

    def _count(self, line: _Line, size: int = 0, recent: int = 0) -> None:
        before = line.comes_back
        line.size += size
        line.recent += recent
        self._size += size
        self._returning += line.weight * (line.comes_back - before)

    def _put(self, line: _Line) -> None:
        """The key at its place in the order, or in none when it does not wait."""
        if line.place:
            del self._order[bisect_left(self._order, line.place)]
            line.place = None
        if head := line.head():
            line.place = (line.tag, head.number, line.key)
            insort(self._order, line.place)

    def _forget(self, line: _Line) -> None:
        # What it had more than others is forgotten with it: a minute is memory enough.
        if not line.size and not line.recent:
            del self._lines[line.key]
            if not self._lines:
                self._now = self._returning = 0.0  # also drops the rounding errors of long sums
