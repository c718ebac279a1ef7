"""A limit that the service does not have: the longest prompt."""

from custom_handlers.core.errors import ContextWindowExceededError
from custom_handlers.emulation.tokenizer import count, estimate

_NEAR = 0.5  # of the limit: below it a sample is enough


def check_context(prompt: str, limit: int | None) -> None:
    """Raises ContextWindowExceededError if `prompt` has more than `limit` tokens; None means no limit.

    Only an exact count refuses; it ends at the limit, and the number in the error is estimated from it. Far below the
    limit a sample is enough, or the size, since no token is less than a byte.
    """
    if limit is None or len(prompt.encode(errors="replace")) <= limit or estimate(prompt) < limit * _NEAR:
        return
    if (tokens := count(prompt, limit)) > limit:
        raise ContextWindowExceededError(limit, tokens)
