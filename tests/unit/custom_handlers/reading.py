"""What the tests of the readers share: streams as bytes, cut anywhere, and JSON of any shape."""

import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, AnyStr

from hypothesis import strategies as st

from custom_handlers.core.errors import StackSpotError
from custom_handlers.core.events import Event
from custom_handlers.http.sse import SSEDecoder
from custom_handlers.upstream.agents_api import AgentStreamDecoder
from custom_handlers.upstream.key_api import ChatCompletionDecoder

LINE_ENDS = (b"\r\n", b"\n", b"\r")

# Text with everything that JSON can hold, lone UTF-16 surrogates included.
any_text = st.text(st.characters(categories=("L", "N", "P", "S", "Z", "Cc", "Cs")), max_size=12)
any_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=6,
)


def frame(body: Any, end: bytes = b"\r\n", event: str = "") -> bytes:
    """`body` as one server-sent event; text is taken as it is, all else as JSON."""
    text = body if isinstance(body, str) else json.dumps(body)
    named = f"event: {event}".encode() + end if event else b""
    return named + b"data: " + text.encode("utf-8", "surrogatepass") + end + end


def cut(stream: AnyStr, places: Iterable[float]) -> list[AnyStr]:
    """`stream` in pieces, cut at each of `places` (0 to 1); empty pieces are kept."""
    at = [0, *sorted(int(place * len(stream)) for place in places), len(stream)]
    return [stream[start:stop] for start, stop in pairwise(at)]


def by_byte(stream: bytes) -> list[bytes]:
    return [stream[i : i + 1] for i in range(len(stream))]


# Where a stream is cut: anywhere, so that most cuts fall within a line, an escape or a character.
places: st.SearchStrategy[Sequence[float]] = st.lists(st.floats(0, 1), max_size=12)


def decoded(
    answer: AgentStreamDecoder | ChatCompletionDecoder, pieces: Iterable[bytes]
) -> tuple[list[Event], StackSpotError | None]:
    """What `answer` makes of a stream: the events, and the error that follows them, if any."""
    sse = SSEDecoder()
    found: list[Event] = []
    try:
        for piece in pieces:
            found.extend(answer.decode(sse.decode(piece)))
            if answer.ended:
                break
        else:
            found.extend(answer.decode(sse.flush()))
        found.extend(answer.flush())
    except StackSpotError as error:
        return found, error
    return found, None


def all_events(answer: AgentStreamDecoder | ChatCompletionDecoder, pieces: Iterable[bytes]) -> list[Event]:
    """The events of a stream without an error; raises the error of one that has one."""
    found, error = decoded(answer, pieces)
    if error:
        raise error
    return found


def named(error: StackSpotError) -> str:
    return f"{type(error).__name__}: {error.message}"
