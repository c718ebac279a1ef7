"""A limit that the service does not have: the longest prompt."""

from custom_handlers.core.errors import ContextWindowExceededError
from custom_handlers.emulation.tokenizer import count, estimate

# Of the limit: below the first a few samples are enough, below the second more of them.
_FAR, _NEAR = 0.5, 0.8
_FEW, _MORE = 16, 64


def is_small(prompt: str, limit: int | None) -> bool:
    """Is `prompt` within `limit` by its size alone, as no token is less than a byte?"""
    if limit is None:
        return True
    return (len(prompt) if prompt.isascii() else len(prompt.encode(errors="replace"))) <= limit


def check_context(prompt: str, limit: int | None) -> None:
    """Raises ContextWindowExceededError if `prompt` has more than `limit` tokens; None means no limit.

    Only an exact count refuses; it ends at the limit, and the number in the error is estimated from it. Below the limit
    samples are enough, or the size.
    """
    if limit is None or is_small(prompt, limit):
        return
    if estimate(prompt, _FEW) < limit * _FAR or estimate(prompt, _MORE) < limit * _NEAR:
        return
    if (tokens := count(prompt, limit)) > limit:
        raise ContextWindowExceededError(limit, tokens)
