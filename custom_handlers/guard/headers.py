"""What may pass of a request's headers, and what is changed in those of the answer."""

from __future__ import annotations

import re
from collections.abc import Iterable

from custom_handlers.guard.fields import seconds
from custom_handlers.guard.rejection import RejectedError

Headers = list[tuple[bytes, bytes]]

KEYS = (b"authorization", b"x-api-key", b"api-key", b"x-litellm-api-key", b"ocp-apim-subscription-key")
_TIMES = (b"x-litellm-timeout", b"x-litellm-stream-timeout")
# Everything else a request to a surface says in headers is for the way to here, or for other vendors.
ALLOWED = frozenset(
    (
        *KEYS,
        *_TIMES,
        b"x-litellm-tags",  # for the usage pages
        # which conversation, for the admin UI's log: LiteLLM's name and those of Claude Code and Codex
        *(b"x-litellm-session-id", b"x-claude-code-session-id", b"session_id", b"session-id"),
        *(b"host", b"user-agent", b"accept", b"accept-encoding", b"connection", b"origin"),
        *(b"anthropic-version", b"x-forwarded-for", b"x-forwarded-proto", b"x-request-id"),
        b"traceparent",  # which trace goes on here; not tracestate, which holds what its sender likes
    )
)
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
# Which LiteLLM this is, to the digit, helps only those who look for its weaknesses.
_NOT_TOLD = frozenset((b"x-litellm-version", b"server"))
_FOR_CLIENTS = {b"llm_provider-retry-after": b"retry-after", b"llm_provider-x-should-retry": b"x-should-retry"}


def sift(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Those that LiteLLM may see on a surface. Raises RejectedError for a time limit that is none."""
    kept = [
        (name, value)
        for name, value in headers
        if name in ALLOWED and (name != b"traceparent" or _TRACEPARENT.fullmatch(value))
    ]
    for name, value in kept:
        if name in _TIMES and seconds(value.decode("latin-1")) is None:
            shown_name = name.decode()
            raise RejectedError(
                400, f"The header {shown_name} must be a number of seconds, as in `{shown_name}: 90`.", shown_name
            )
    return kept


def of_answer(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The headers of an answer: nothing of LiteLLM's version; what clients heed about retries by its own name."""
    kept = [(name, value) for name, value in headers if name.lower() not in _NOT_TOLD]
    names = {name.lower() for name, _ in kept}
    for name, value in list(kept):
        plain = _FOR_CLIENTS.get(name.lower())
        if plain and plain not in names:
            kept.append((plain, value))
    return kept
