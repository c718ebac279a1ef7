"""Which stop text ended an answer: told past LiteLLM, whose answers have no place for it, to who waits for it."""

from contextvars import ContextVar

# What the guard reads when the answer has come back to it. LiteLLM's tasks have copies of the request's context, and so
# the same list.
_told: ContextVar[list[str] | None] = ContextVar("stop_texts", default=None)


def listen() -> list[str]:
    """The list in which the stop text of this request's answer will stand, if one ends it."""
    told: list[str] = []
    _told.set(told)
    return told


def tell(text: str) -> None:
    if (told := _told.get()) is not None:
        told.append(text)
