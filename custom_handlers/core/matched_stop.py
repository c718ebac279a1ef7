"""Which stop sequence ended an answer: LiteLLM's answers have no place for it, so it is handed past them."""

from contextvars import ContextVar

# What the guard reads when the answer has come back to it. LiteLLM's tasks have copies of the request's context, and so
# the same list.
_matched: ContextVar[list[str] | None] = ContextVar("matched_stop", default=None)


def listen() -> list[str]:
    """The list in which the stop sequence of this request's answer will stand, if one ends it."""
    matched: list[str] = []
    _matched.set(matched)
    return matched


def record(text: str) -> None:
    if (matched := _matched.get()) is not None:
        matched.append(text)
