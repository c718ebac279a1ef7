"""What can go wrong, and the HTTP status that each becomes. Only `http/error_mapping` knows StackSpot's own
status numbers. The names are those of OpenAI and LiteLLM, but for the two timeouts: `TimeoutError` is Python's.

    StackSpotError
    ├── BadRequestError                   400  a parameter or message that cannot be served; names it
    │   ├── UnknownModelError             400  also a ValueError
    │   └── ContextWindowExceededError    400  the prompt exceeds the model's window; carries both numbers
    ├── AuthenticationError               401  StackSpot refused the client key     } through the proxy both are 502,
    ├── PermissionDeniedError             403  agent unknown, or not shared with it } since the caller's own key is fine
    ├── RateLimitError                    429  the account's limit; carries Retry-After when StackSpot sent one
    ├── CallerTimeoutError                408  the caller's own time limit ran out
    ├── UpstreamTimeoutError              504  StackSpot was silent for too long
    ├── ServiceUnavailableError           503  StackSpot says that it is overloaded or down
    ├── InternalServerError               500  a fault of the gateway itself: its configuration or its code
    └── BadGatewayError                   502  unreachable, or an answer that cannot be used
        └── InvalidResponseError          502  an answer that broke off, was empty, or is not what was asked for

    ConfigurationError (ValueError): every mistake in the environment and the configuration together

Messages are our own words with StackSpot's error code: never an upstream body, an address or a secret.
"""

import math
import re
from typing import ClassVar

from custom_handlers.core.events import Usage


class ConfigurationError(ValueError):
    """All configuration mistakes of one start; `mistakes` holds a sentence for each."""

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        super().__init__("The StackSpot configuration is not usable:\n" + "\n".join(f"  - {m}" for m in mistakes))


class StackSpotError(Exception):
    """Base of all errors of a request.

    `message` is safe to show to the caller, `code` is StackSpot's (`INFERENCE_3008_...`) or None, `param` the
    request parameter at fault or None, `retry_after` seconds or None, `usage` what StackSpot says that an answer cost
    which cannot be used.
    """

    status: ClassVar[int] = 502
    retryable: bool = False
    usage: Usage | None = None

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.message = f"{message} ({code})" if code and code not in message else message
        self.code, self.param, self.retry_after = code, param, retry_after
        super().__init__(self.message)


class BadRequestError(StackSpotError):
    status = 400


class UnknownModelError(BadRequestError):
    pass


class ContextWindowExceededError(BadRequestError):
    """`limit` and `tokens` as StackSpot or the local check counted them, or None where they are unknown.

    Coding agents compact their history when they find known words in the message. Claude Code: `prompt is too long`,
    and how much to drop from `N tokens > M`; clients made for OpenAI: `maximum context length is`.
    """

    def __init__(self, limit: int | None, tokens: int | None, *, code: str | None = None) -> None:
        self.limit, self.tokens = limit, tokens
        numbers = "The prompt is too long: it exceeds the model's maximum context length."
        if limit and tokens:
            numbers = (
                f"This model's maximum context length is {limit} tokens, but the prompt is too long: "
                f"{tokens} tokens > {limit} maximum."
            )
        super().__init__(f"{numbers} Please reduce the length of the messages.", code=code, param="messages")


class AuthenticationError(StackSpotError):
    status = 401


class PermissionDeniedError(StackSpotError):
    status = 403


class RateLimitError(StackSpotError):
    status = 429
    retryable = True


class CallerTimeoutError(StackSpotError):
    status = 408


class UpstreamTimeoutError(StackSpotError):
    status = 504


class ServiceUnavailableError(StackSpotError):
    status = 503
    retryable = True


class InternalServerError(StackSpotError):
    status = 500


class BadGatewayError(StackSpotError):
    """`retryable` is set for connection failures and 5xx, which are tried again before the first byte."""

    def __init__(self, message: str, *, code: str | None = None, retryable: bool = False) -> None:
        self.retryable = retryable
        super().__init__(message, code=code)


class InvalidResponseError(BadGatewayError):
    """`final` is set for an answer that is complete and of no use: asking again at once would cost as much again."""

    def __init__(self, message: str, *, code: str | None = None, final: bool = False) -> None:
        self.final = final
        super().__init__(message, code=code)


def outcome_of(error: Exception) -> str:
    """One of a few words, for metrics and logs: `rate_limit`, `upstream_timeout`, ..."""
    return _word(type(error) if isinstance(error, StackSpotError) else InternalServerError)


def error_outcomes() -> list[str]:
    """All the words that `outcome_of` has."""
    kinds: list[type[StackSpotError]] = StackSpotError.__subclasses__()
    for kind in kinds:
        kinds += kind.__subclasses__()
    return [_word(kind) for kind in kinds]


def _word(kind: type[StackSpotError]) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__.removesuffix("Error")).lower()


def headers_for(error: StackSpotError) -> dict[str, str]:
    """What a client should know of `error` beside status and message."""
    headers: dict[str, str] = {}
    if error.retry_after is not None:
        headers["retry-after"] = str(math.ceil(error.retry_after))
    if isinstance(error, InvalidResponseError) and error.final:
        headers["x-should-retry"] = "false"  # read by the SDKs of OpenAI and Anthropic
    return headers
